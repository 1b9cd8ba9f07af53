import ConsulClient
import Foundation
import Testing

/// A cluster of real processes whose certificates come from `consul tls`, and which trust nobody without one.
@Suite struct TLSClusterTests {
  private let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.path + "/tls-cluster-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func run(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: AgentProcess.binary)
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw AgentFailure("\(arguments) ended with an error") }
  }

  private func agent(_ name: String, _ address: String, _ settings: [String: Any]) throws -> AgentProcess {
    var configuration: [String: Any] = [
      "node_name": name, "data_dir": "\(folder)/\(name)", "bind_addr": address, "client_addr": address,
      "retry_join": ["127.87.5.1"], "retry_interval": "1s", "performance": ["raft_multiplier": 1],
      "ports": ["dns": -1, "grpc": -1, "grpc_tls": -1, "https": 8501],
    ]
    configuration.merge(settings) { $1 }
    let path = "\(folder)/\(name).json"
    try JSONSerialization.data(withJSONObject: configuration).write(to: URL(filePath: path))
    return try AgentProcess(arguments: ["agent", "-config-file=\(path)"], log: "\(folder)/\(name).log")
  }

  private func until<Value>(
    _ agents: [AgentProcess], _ attempt: () async throws -> Value?
  ) async throws -> Value {
    while true {
      for agent in agents { try agent.requireAlive() }
      if let value = try? await attempt() { return value }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  @Test(.timeLimit(.minutes(3))) func serversAndClientsWithCertificatesAreAClusterAndOthersAreNot() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try run("tls", "ca", "create")
    for _ in 1...3 { try run("tls", "cert", "create", "-server") }
    let verified: [String: Any] = [
      "ca_file": "\(folder)/consul-agent-ca.pem", "verify_incoming": true, "verify_outgoing": true,
    ]
    var agents: [AgentProcess] = []
    defer {
      for agent in agents {
        agent.kill()
        agent.waitUntilGone()
      }
    }
    for number in 0...2 {
      var defaults = verified
      defaults["cert_file"] = "\(folder)/dc1-server-consul-\(number).pem"
      defaults["key_file"] = "\(folder)/dc1-server-consul-\(number)-key.pem"
      agents.append(
        try agent(
          "s\(number + 1)", "127.87.5.\(number + 1)",
          [
            "server": true, "bootstrap_expect": 3, "auto_encrypt": ["allow_tls": true],
            "tls": ["defaults": defaults, "internal_rpc": ["verify_server_hostname": true]],
          ]))
    }
    var fromServers = verified
    fromServers["verify_incoming"] = false
    agents.append(
      try agent(
        "c1", "127.87.5.4",
        [
          "auto_encrypt": ["tls": true],
          "tls": ["defaults": fromServers, "internal_rpc": ["verify_server_hostname": true]],
        ]))
    func client(_ number: Int) throws -> ConsulClient {
      try ConsulClient(ClientConfiguration(address: try AgentAddress(parsing: "http://127.87.5.\(number):8500")))
    }
    let (server, member) = (try client(2), try client(4))
    defer {
      Task {
        await server.shutdown()
        await member.shutdown()
      }
    }
    // Written through an agent that has its certificate from the servers, read through any server.
    _ = try await until(agents) {
      try await member.perform(APIRequest("PUT", "/v1/kv/a", body: Array("through tls".utf8)))
    }
    let value = try await until(agents) {
      var request = APIRequest("GET", "/v1/kv/a")
      request.add("raw")
      request.add("consistent")
      return try await server.perform(request).body
    }
    #expect(String(decoding: value, as: UTF8.self) == "through tls")
    // The same certificate serves HTTPS: whoever trusts the cluster's roots can use it.
    let roots = try await member.mesh.authorityRoots()
    let root = try #require(roots["Roots"]?.array?.first?["RootCert"]?.string)
    try root.write(toFile: "\(folder)/root.pem", atomically: true, encoding: .utf8)
    var secured = ClientConfiguration(address: try AgentAddress(parsing: "https://127.87.5.4:8501"))
    secured.tls.authorityFile = "\(folder)/root.pem"
    secured.tls.serverName = "localhost"
    let https = try ConsulClient(secured)
    let leader = try await https.status.leader()
    #expect(!leader.isEmpty)
    await https.shutdown()
    // Without a certificate there is no way in.
    let stranger = try agent("x1", "127.87.5.5", [:])
    defer {
      stranger.kill()
      stranger.waitUntilGone()
    }
    let outside = try client(5)
    let members = try await until(agents + [stranger]) {
      let members = try await outside.perform(APIRequest("GET", "/v1/agent/members")).json().array ?? []
      return members.count >= 5 ? members : nil
    }
    #expect(members.count == 5)
    await #expect(throws: ClientError.self) { try await outside.perform(APIRequest("GET", "/v1/kv/a")) }
    await outside.shutdown()
  }
}
