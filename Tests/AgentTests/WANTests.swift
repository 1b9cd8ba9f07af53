import ConsulClient
import Foundation
import Testing

/// Datacenters of real processes that reach each other over encrypted gossip and verified TLS.
@Suite struct WANTests {
  private static let key = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="
  private static let otherKey = "yhbs0Y2iDsMYzVKPGHmEcdvF2WMwpF0LtEF2KlAQ8I8="

  private let folder: AgentFolder

  init() throws { folder = try AgentFolder() }

  /// A datacenter of one server, whose certificate is for `certified`.
  private func start(
    _ datacenter: String, _ address: String, certified: String? = nil, key: String = WANTests.key
  ) throws {
    let certified = certified ?? datacenter
    let certificate = "\(folder.path)/\(certified)-server-consul-0"
    try folder.start(
      "s1-\(datacenter)", address,
      [
        "server": true, "bootstrap": true, "datacenter": datacenter, "encrypt": key, "retry_join_wan": ["127.87.7.1"],
        "retry_interval_wan": "1s",
        "tls": [
          "defaults": [
            "ca_file": "\(folder.path)/consul-agent-ca.pem", "cert_file": "\(certificate).pem",
            "key_file": "\(certificate)-key.pem", "verify_incoming": true, "verify_outgoing": true,
          ], "internal_rpc": ["verify_server_hostname": true],
        ],
      ])
  }

  private func members(_ client: ConsulClient) async throws -> Set<String> {
    var request = APIRequest("GET", "/v1/agent/members")
    request.add("wan", "1")
    let members = try await client.perform(request).json().array ?? []
    return Set(members.compactMap { $0["Name"]?.string })
  }

  private static func keyValue(_ method: String, in datacenter: String, body: [UInt8] = []) -> APIRequest {
    var request = APIRequest(method, "/v1/kv/a", body: body)
    request.add("dc", datacenter)
    if method == "GET" { request.add("raw") }
    return request
  }

  @Test(.timeLimit(.minutes(3))) func datacentersReachEachOtherOnlyWithKeysAndCertificatesThatFit() async throws {
    try folder.run("tls", "ca", "create")
    for datacenter in ["dc1", "dc2"] { try folder.run("tls", "cert", "create", "-server", "-dc", datacenter) }
    try start("dc1", "127.87.7.1")
    try start("dc2", "127.87.7.2")
    // Its certificate is that of a server of another datacenter.
    try start("dc3", "127.87.7.3", certified: "dc2")
    try start("dc4", "127.87.7.4", certified: "dc2", key: Self.otherKey)
    let client = try AgentFolder.client("127.87.7.1")
    defer { Task { await client.shutdown() } }
    let known: Set = ["s1-dc1.dc1", "s1-dc2.dc2", "s1-dc3.dc3"]
    _ = try await folder.until { try await members(client).isSuperset(of: known) ? true : nil }
    _ = try await folder.until {
      try await client.perform(Self.keyValue("PUT", in: "dc2", body: Array("far away".utf8)))
    }
    let value = try await client.perform(Self.keyValue("GET", in: "dc2")).body
    #expect(String(decoding: value, as: UTF8.self) == "far away")
    await #expect {
      try await client.perform(Self.keyValue("GET", in: "dc3"))
    } throws: { error in
      "\(error)".contains("certificate is valid for") && "\(error)".contains("not server.dc3.consul")
    }
    // Who has another key has tried to join all the while, and is still alone.
    #expect(try await members(client) == known)
    let alone = try AgentFolder.client("127.87.7.4")
    defer { Task { await alone.shutdown() } }
    _ = try await folder.until { folder.agents[3].output.contains("nobody answered") ? true : nil }
    #expect(try await members(alone) == ["s1-dc4.dc4"])
  }
}
