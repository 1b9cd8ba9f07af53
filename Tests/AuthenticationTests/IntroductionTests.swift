import Model
import Testing

@testable import Authentication

@Suite struct IntroductionTests {
  private let issuer = TestIssuer.shared
  private let now = TestIssuer.now

  private func authorizer(_ assertions: String...) throws -> IntroductionAuthorizer {
    let settings = DynamicObject([
      ("JWTValidationPubKeys", [.string(issuer.rsaPEM)]), ("BoundIssuer", "issuer"), ("BoundAudiences", ["consul"]),
      ("ClaimMappings", ["user": "user", "host": "host"]), ("ListClaimMappings", ["groups": "groups"]),
    ])
    return try IntroductionAuthorizer(DynamicMap(settings), assertions: assertions)
  }

  /// "" for an agent that gets what it wants.
  private func refusal(
    _ token: String, _ authorizer: IntroductionAuthorizer, node: String = "web-1", segment: String = ""
  ) -> String {
    let wanted = IntroductionAuthorizer.Wanted(node: node, segment: segment)
    switch Script().run(authorizer.authorize(token, wanted, now: now)).0 {
    case .success: return ""
    case .failure(let error): return error.description
    }
  }

  @Test(
    arguments: [
      ("value.host == \"${node}\"", ["host": "web-1"], true), ("value.host == \"${node}\"", ["host": "web-2"], false),
      ("value.host == \"${node}\"", [:], false), ("value.host == ${node}", ["host": "web-1"], false),
      ("\"${node}\" contains value.host", ["host": "web"], false),
      ("list.groups contains \"${node}\"", ["groups": ["web-1", "web-2"]], true),
      ("list.groups contains \"${node}\"", ["groups": ["web-2"]], false),
      ("value.user == Ada and \"ops\" in list.groups", [:], true), ("value.user != Ada", [:], false),
      ("value.host matches \"^${node}$\"", ["host": "web-1"], true),
    ] as [(String, Dynamic, Bool)])
  func `Assertions compare claims with what the agent wants to be`(
    _ assertion: String, _ claims: Dynamic, _ isAllowed: Bool
  ) throws {
    guard let authorizer = try? authorizer(assertion) else {
      // What is no filter over claims is refused before anybody asks.
      return #expect(!isAllowed)
    }
    let token = try issuer.token(TestIssuer.claims(claims.object ?? DynamicObject()))
    #expect(refusal(token, authorizer) == (isAllowed ? "" : "Permission denied: Failed JWT claim assertion"))
  }

  @Test func `All assertions have to hold`() throws {
    let token = try issuer.token(TestIssuer.claims())
    #expect(refusal(token, try authorizer("value.user == Ada", "\"dev\" in list.groups")) == "")
    #expect(refusal(token, try authorizer("value.user == Ada", "\"admin\" in list.groups")) != "")
  }

  @Test(
    arguments: [
      (["aud": "other"], "RS256", "error validating claims: aud claim does not match any bound audience"),
      (["iss": "other"], "RS256", "invalid issuer claim (iss)"), (["exp": 1000], "RS256", "token is expired (exp)"),
      ([:], "none", "no known key successfully validated the token signature"),
      ([:], "HS256", "no known key successfully validated the token signature"),
      ([:], "ES256", "no known key successfully validated the token signature"),
    ] as [(Dynamic, String, String)])
  func `A token that is not believed introduces nobody`(
    _ claims: Dynamic, _ algorithm: String, _ reason: String
  ) throws {
    let token = try issuer.token(TestIssuer.claims(claims.object ?? DynamicObject()), algorithm: algorithm)
    let text = refusal(token, try authorizer())
    #expect(text.hasPrefix("Permission denied: Failed JWT authorization: ") && text.hasSuffix(reason), "\(text)")
  }

  @Test func `Without a token nobody gets in`() throws {
    #expect(refusal("", try authorizer()) == "Permission denied: Failed JWT authorization: missing jwt")
    #expect(refusal("a.b", try authorizer()).hasPrefix("Permission denied: Failed JWT authorization: error parsing"))
  }

  @Test(arguments: ["", "a\" or value.user == \"Ada", "a b", "a${node}", "ä", String(repeating: "a", count: 256)])
  func `Names cannot become part of an assertion`(_ node: String) throws {
    let token = try issuer.token(TestIssuer.claims())
    #expect(refusal(token, try authorizer(), node: node).hasPrefix("invalid request field. node = "))
    guard !node.isEmpty else { return }
    #expect(refusal(token, try authorizer(), segment: node).hasPrefix("invalid request field. segment = "))
  }

  @Test(arguments: ["value.user == \"${nobody}\"", "${", "value.user ==", "absent.user == a", "value.user in"])
  func `Assertions that cannot be evaluated are refused at start`(_ assertion: String) {
    #expect {
      _ = try authorizer(assertion)
    } throws: { error in
      "\(error)".hasPrefix("auto_config.authorization.static.claim_assertion \(assertion.goQuoted) is invalid: ")
    }
  }
}
