import ConsulClient
import Foundation
import Testing

/// A cluster of real processes whose certificates come from `consul tls`, and which trust nobody without one.
@Suite struct TLSClusterTests {
  private let folder: AgentFolder

  init() throws { folder = try AgentFolder() }

  @Test(.timeLimit(.minutes(3))) func serversAndClientsWithCertificatesAreAClusterAndOthersAreNot() async throws {
    try folder.run("tls", "ca", "create")
    for _ in 1...3 { try folder.run("tls", "cert", "create", "-server") }
    let verified: [String: Any] = [
      "ca_file": "\(folder.path)/consul-agent-ca.pem", "verify_incoming": true, "verify_outgoing": true,
    ]
    for number in 0...2 {
      var defaults = verified
      defaults["cert_file"] = "\(folder.path)/dc1-server-consul-\(number).pem"
      defaults["key_file"] = "\(folder.path)/dc1-server-consul-\(number)-key.pem"
      try folder.start(
        "s\(number + 1)", "127.87.5.\(number + 1)",
        [
          "server": true, "bootstrap_expect": 3, "auto_encrypt": ["allow_tls": true], "retry_join": ["127.87.5.1"],
          "tls": ["defaults": defaults, "internal_rpc": ["verify_server_hostname": true]],
        ])
    }
    var fromServers = verified
    fromServers["verify_incoming"] = false
    try folder.start(
      "c1", "127.87.5.4",
      [
        "auto_encrypt": ["tls": true], "retry_join": ["127.87.5.1"],
        "ports": ["dns": -1, "grpc": -1, "grpc_tls": -1, "https": 8501],
        "tls": ["defaults": fromServers, "internal_rpc": ["verify_server_hostname": true]],
      ])
    let (server, member) = (try AgentFolder.client("127.87.5.2"), try AgentFolder.client("127.87.5.4"))
    defer {
      Task {
        await server.shutdown()
        await member.shutdown()
      }
    }
    // Written through an agent that has its certificate from the servers, read through any server.
    _ = try await folder.until {
      try await member.perform(APIRequest("PUT", "/v1/kv/a", body: Array("through tls".utf8)))
    }
    let value = try await folder.until {
      var request = APIRequest("GET", "/v1/kv/a")
      request.add("raw")
      request.add("consistent")
      return try await server.perform(request).body
    }
    #expect(String(decoding: value, as: UTF8.self) == "through tls")
    // The same certificate serves HTTPS: whoever trusts the cluster's roots can use it.
    let roots = try await member.mesh.authorityRoots()
    let root = try #require(roots["Roots"]?.array?.first?["RootCert"]?.string)
    try folder.write("root.pem", root)
    var secured = ClientConfiguration(address: try AgentAddress(parsing: "https://127.87.5.4:8501"))
    secured.tls.authorityFile = "\(folder.path)/root.pem"
    secured.tls.serverName = "localhost"
    let https = try ConsulClient(secured)
    let leader = try await https.status.leader()
    #expect(!leader.isEmpty)
    await https.shutdown()
    // Without a certificate there is no way in.
    try folder.start("x1", "127.87.5.5", ["retry_join": ["127.87.5.1"]])
    let outside = try AgentFolder.client("127.87.5.5")
    let members = try await folder.until {
      let members = try await outside.perform(APIRequest("GET", "/v1/agent/members")).json().array ?? []
      return members.count >= 5 ? members : nil
    }
    #expect(members.count == 5)
    await #expect(throws: ClientError.self) { try await outside.perform(APIRequest("GET", "/v1/kv/a")) }
    await outside.shutdown()
  }
}
