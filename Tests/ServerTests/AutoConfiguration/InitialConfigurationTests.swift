import Authentication
import Certificates
import Crypto
import Foundation
import Model
import NIOCore
import Testing
import TransportSecurity

@testable import Server

/// Agents that are introduced to servers, over the server port.
@Suite struct InitialConfigurationTests {
  private let key = P256.Signing.PrivateKey()

  private func introduction(_ more: [String: Any] = [:], algorithm: String = "ES256") throws -> String {
    func encoded(_ object: [String: Any]) throws -> String {
      Self.base64(try JSONSerialization.data(withJSONObject: object))
    }
    let now = Int(Date().timeIntervalSince1970)
    let claims: [String: Any] = ["iss": "issuer", "aud": "consul", "iat": now, "exp": now + 600, "sub": "web-1"]
    let text =
      try encoded(["alg": algorithm, "typ": "JWT"]) + "." + (try encoded(claims.merging(more) { $1 }))
    let signature = algorithm == "none" ? Data() : try key.signature(for: Data(text.utf8)).rawRepresentation
    return text + "." + Self.base64(signature)
  }

  private static func base64(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  private func service(_ security: TransportSecurity, withACL: Bool) throws -> AutoConfigService {
    let settings = DynamicObject([
      ("JWTValidationPubKeys", [.string(key.publicKey.pemRepresentation)]), ("BoundAudiences", ["consul"]),
      ("JWTSupportedAlgs", ["ES256"]), ("ClaimMappings", ["sub": "node_name"]),
    ])
    let authorizer = try IntroductionAuthorizer(
      DynamicMap(settings), assertions: ["value.node_name == \"${node}\""])
    return AutoConfigService(authorizer: authorizer, providers: NoProviders(), security: security) {
      var settings = AutoConfigSettings()
      settings.acl = .init()
      settings.acl?.enabled = withACL
      settings.gossip = .init()
      settings.gossip?.encryption = .init()
      settings.gossip?.encryption?.key = "a2V5"
      return settings
    }
  }

  private static func files() throws -> TLSFiles {
    let files = try TLSFiles()
    try files.make("server", dnsNames: ["server.dc1.consul"])
    return files
  }

  /// A new agent's way to servers.
  private static func call(_ files: TLSFiles, _ server: TestServer) throws -> StrangerCall {
    let own = try files.security("server") { ($0.certificateFile, $0.keyFile) = ("", "") }
    return StrangerCall(
      group: server.group, security: OutgoingSecurity(own, members: MemberTable(datacenter: "dc1")))
  }

  private static func request(_ jwt: String, node: String = "web-1", csrFor name: String? = "web-1") throws
    -> AutoConfigRequest
  {
    var request = AutoConfigRequest()
    request.datacenter = "dc1"
    request.node = node
    request.jwt = jwt
    if let name {
      request.csr = try AutoEncryption.Names(datacenter: "dc1", node: name).signingRequest(try .generate(.p256))
    }
    return request
  }

  @Test func anAgentThatIsIntroducedGetsItsSettingsThroughAnyServer() async throws {
    let files = try Self.files()
    let security = try files.security("server")
    let hosts = (1...3).map { "127.85.41.\($0)" }
    let service = try service(security, withACL: true)
    var access = AccessControlSettings(nodeName: "s1")
    access.fallback = .deny
    var servers: [TestServer] = []
    for number in 1...3 {
      servers.append(
        try await TestServer(
          number, of: hosts, holdTimeout: .seconds(60), accessControl: access, security: security,
          authority: AuthoritySettings(), autoConfiguration: service))
    }
    for server in servers {
      while server.node.store.current.activeCARoot == nil { await Task.yield() }
    }
    let follower = try #require(servers.first { !$0.node.isLeader })
    let response = try await Self.call(files, follower)
      .initialConfiguration(try Self.request(try introduction()), at: follower.address)
    #expect(response.config.datacenter == "dc1" && response.config.nodeName == "web-1")
    #expect(response.config.gossip?.encryption?.key == "a2V5")
    let certificate = try #require(response.certificate)
    #expect(certificate.agent == "web-1" && certificate.privateKeyPEM.isEmpty)
    let root = try #require(response.caRoots.roots.first?.value)
    let chain = try SignedCertificate.chain(pem: certificate.certPEM)
    #expect(chain[0].isSigned(by: try SignedCertificate(pem: root.rootCert)))
    #expect(response.extraCACertificates == security.manualAuthorities.map { SignedCertificate.pem(der: $0) })
    // The token is that of the node, and no other.
    let secret = try #require(response.config.acl?.tokens?.agent)
    for server in servers {
      while server.node.store.current.aclToken(secret: Secret(secret)).value == nil { await Task.yield() }
    }
    let token = try #require(follower.node.store.current.aclToken(secret: Secret(secret)).value)
    #expect(token.local && token.description == "Auto Config Token for Node \"web-1\"")
    #expect(token.nodeIdentities.map(\.nodeName) == ["web-1"] && token.nodeIdentities.map(\.datacenter) == ["dc1"])
    #expect(token.policies.isEmpty && token.roles.isEmpty && token.serviceIdentities.isEmpty)
    for server in servers { await server.stop() }
  }

  @Test func whoeverIsNotIntroducedGetsNothing() async throws {
    let files = try Self.files()
    let security = try files.security("server")
    let server = try await TestServer(
      1, of: ["127.85.41.4"], security: security, authority: AuthoritySettings(),
      autoConfiguration: try service(security, withACL: false))
    while server.node.store.current.activeCARoot == nil { await Task.yield() }
    let call = try Self.call(files, server)
    func refusal(_ request: AutoConfigRequest) async throws -> String {
      do {
        _ = try await call.initialConfiguration(request, at: server.address)
        return ""
      } catch {
        return "\(error)"
      }
    }
    let good = try introduction()
    #expect(try await refusal(try Self.request(good)) == "")
    // Settings alone are possible, too.
    #expect(try await refusal(try Self.request(good, csrFor: nil)) == "")
    let unbelieved = "Permission denied: Failed JWT authorization: "
    for (jwt, reason) in [
      (try introduction(algorithm: "none"), "no known key successfully validated the token signature"),
      (try introduction(["aud": "other"]), "aud claim does not match any bound audience"),
      (try introduction(["exp": 1_600_000_000, "iat": 1_500_000_000]), "token is expired (exp)"),
      (good + "AAAA", "no known key successfully validated the token signature"), ("", "missing jwt"),
    ] {
      let text = try await refusal(try Self.request(jwt))
      #expect(text.contains(unbelieved) && text.hasSuffix(reason), "\(text)")
    }
    let other = try Self.request(good, node: "web-2", csrFor: "web-2")
    #expect(try await refusal(other).hasSuffix("Permission denied: Failed JWT claim assertion"))
    let names = try Self.request(good, csrFor: "web-2")
    #expect(try await refusal(names).contains("is not for the correct node (web-1)"))
    var elsewhere = try Self.request(good)
    elsewhere.datacenter = "dc2"
    #expect(try await refusal(elsewhere).hasSuffix("agent auto configuration cannot target a remote datacenter"))
    await server.stop()
  }

  @Test func aServerThatGivesNothingSaysSo() async throws {
    let files = try Self.files()
    let server = try await TestServer(
      1, of: ["127.85.41.5"], security: try files.security("server"), authority: AuthoritySettings())
    while !server.node.isLeader { await Task.yield() }
    let call = try Self.call(files, server)
    let request = try Self.request(try introduction())
    await #expect {
      try await call.initialConfiguration(request, at: server.address)
    } throws: { error in
      "\(error)".hasSuffix("Auto Config is disabled")
    }
    await server.stop()
  }
}
