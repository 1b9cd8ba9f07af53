import ConsulClient
import Crypto
import Foundation
import Testing

@testable import Agent

/// A client agent of a real process that knows nothing but servers and a token that introduces it.
@Suite struct AutoConfigTests {
  private let folder: AgentFolder
  private let key = P256.Signing.PrivateKey()

  init() throws { folder = try AgentFolder() }

  private func introduction(audience: String = "cluster", subject: String = "c1") throws -> String {
    func encoded(_ object: [String: Any]) throws -> String {
      Self.base64(try JSONSerialization.data(withJSONObject: object))
    }
    let now = Int(Date().timeIntervalSince1970)
    let claims: [String: Any] = ["iss": "issuer", "aud": audience, "iat": now, "exp": now + 3600, "sub": subject]
    let text = try encoded(["alg": "ES256"]) + "." + (try encoded(claims))
    return text + "." + Self.base64(try key.signature(for: Data(text.utf8)).rawRepresentation)
  }

  private static func base64(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  private func startServer() throws {
    try folder.run("tls", "ca", "create")
    try folder.run("tls", "cert", "create", "-server")
    try folder.start(
      "s1", "127.87.6.1",
      [
        "server": true, "bootstrap": true, "encrypt": "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=",
        "connect": ["enabled": true],
        "acl": [
          "enabled": true, "default_policy": "deny",
          "tokens": ["initial_management": "3b6b1b62-7c7b-4c34-8a3b-2a1f7d3b9c11"],
        ],
        "tls": [
          "defaults": [
            "ca_file": "\(folder.path)/consul-agent-ca.pem", "cert_file": "\(folder.path)/dc1-server-consul-0.pem",
            "key_file": "\(folder.path)/dc1-server-consul-0-key.pem", "verify_incoming": true, "verify_outgoing": true,
          ], "internal_rpc": ["verify_server_hostname": true],
        ],
        "auto_config": [
          "authorization": [
            "enabled": true,
            "static": [
              "jwt_validation_pub_keys": [key.publicKey.pemRepresentation], "jwt_supported_algs": ["ES256"],
              "bound_issuer": "issuer", "bound_audiences": ["cluster"], "claim_mappings": ["sub": "node_name"],
              "claim_assertions": ["value.node_name == \"${node}\""],
            ],
          ]
        ],
      ])
  }

  private func startClient(_ token: String) throws -> AgentProcess {
    try folder.write("intro", token)
    return try folder.start(
      "c1", "127.87.6.2",
      [
        "tls": ["defaults": ["ca_file": "\(folder.path)/consul-agent-ca.pem", "verify_outgoing": true]],
        "auto_config": [
          "enabled": true, "intro_token_file": "\(folder.path)/intro", "server_addresses": ["127.87.6.1"],
          "dns_sans": ["c1.example"],
        ],
      ])
  }

  private static let management = "3b6b1b62-7c7b-4c34-8a3b-2a1f7d3b9c11"

  @Test(.timeLimit(.minutes(3))) func anAgentStartsWithWhatTheServersGiveItAndAgainWithoutThem() async throws {
    try startServer()
    // With a token for others it waits, and says why; a better one in the same file lets it in.
    let waiting = try startClient(try introduction(audience: "others"))
    _ = try await folder.until { waiting.output.contains("aud claim does not match any bound audience") ? true : nil }
    let file = "\(folder.path)/c1/auto-config.json"
    #expect(!FileManager.default.fileExists(atPath: file))
    try folder.write("intro", try introduction())
    // It joins the encrypted pool, registers itself with its token, and asks the servers over TLS.
    let client = try AgentFolder.client("127.87.6.2", token: Self.management)
    defer { Task { await client.shutdown() } }
    _ = try await folder.until {
      let nodes = try await client.perform(APIRequest("GET", "/v1/catalog/nodes")).json().array ?? []
      return nodes.contains { $0["Node"]?.string == "c1" } ? true : nil
    }
    let own = try await client.perform(APIRequest("GET", "/v1/agent/self")).json()["DebugConfig"]
    #expect(own?["ACLsEnabled"]?.bool == true && own?["ACLResolverSettings"]?["ACLDefaultPolicy"]?.string == "deny")
    #expect(own?["TLS"]?["InternalRPC"]?["VerifyServerHostname"]?.bool == true)
    let kept = try String(contentsOfFile: file, encoding: .utf8)
    #expect(kept.contains("PRIVATE KEY") && kept.contains("pUqJrVyVRj5jsiYEkM"))
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
    #expect((mode as? NSNumber)?.intValue == 0o600)
    // Without servers and without a token it starts with what it has.
    folder.stop()
    let again = try startClient("")
    _ = try await folder.until { try await client.perform(APIRequest("GET", "/v1/agent/members")) }
    #expect(again.output.contains("goes on with what the servers gave before"))
  }
}
