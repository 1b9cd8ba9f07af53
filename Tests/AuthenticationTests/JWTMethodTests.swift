import Model
import Testing

@testable import Authentication

@Suite struct JWTMethodTests {
  private let issuer = TestIssuer.shared
  private let now = TestIssuer.now

  private func method(_ more: (key: String, value: Dynamic)...) throws -> JWTMethod {
    var members = DynamicObject([
      ("JWTValidationPubKeys", [.string(issuer.rsaPEM)]), ("BoundIssuer", "issuer"),
      ("BoundAudiences", ["other", "consul"]), ("ClaimMappings", ["user": "user", "/team/name": "team"]),
      ("ListClaimMappings", ["groups": "groups"]),
    ])
    for (key, value) in more { members[key] = value }
    return try JWTMethod(DynamicMap(members))
  }

  private func outcome(_ claims: Dynamic, _ method: JWTMethod) throws -> Result<Identity, AuthenticationError> {
    Script().run(method.identify(try issuer.token(claims), ProviderMemory(), now: now)).0
  }

  private func reason(_ claims: Dynamic, _ method: JWTMethod) throws -> String {
    switch try outcome(claims, method) {
    case .success: "accepted"
    case .failure(let error): error.description
    }
  }

  @Test func `Claims become attributes under the names of the mappings`() throws {
    let identity = try outcome(TestIssuer.claims(), try method()).get()
    #expect(identity.variables == ["value.user": "Ada", "value.team": "core"])
    #expect(try identity.matches("\"dev\" in list.groups and value.team == core"))
    #expect(try !identity.matches("\"admin\" in list.groups"))
    #expect(try !identity.matches("value.absent == x"))
  }

  @Test(
    arguments: [
      ("iss", .string("bad"), "invalid issuer claim (iss)"), ("iss", .null, "invalid issuer claim (iss)"),
      ("aud", "wrong", "aud claim does not match any bound audience"),
      ("aud", ["x", "y"], "aud claim does not match any bound audience"),
      ("aud", .null, "aud claim does not match any bound audience"),
      ("exp", .int(-600), "token is expired (exp)"), ("nbf", .int(1000), "token not valid yet (nbf)"),
      ("iat", .int(1000), "token not valid yet (nbf)"),
      ("user", ["a"], "error converting claim 'user' to string from unknown type []interface {}"),
      ("groups", [["a": 1]], "\"groups\" list claim could not be converted to string list"),
    ] as [(String, Dynamic, String)])
  func `A claim that does not hold refuses the login`(_ name: String, _ value: Dynamic, _ expected: String) throws {
    // Times are given as seconds from now.
    let value = ["exp", "nbf", "iat"].contains(name) ? .int(now.unixSeconds + (value.int ?? 0)) : value
    let text = try reason(TestIssuer.claims(DynamicObject([(name, value)])), try method())
    #expect(text.hasSuffix(expected), "\(text)")
  }

  @Test(arguments: [
    (DynamicObject([("exp", .int(-30))]), true), (DynamicObject([("exp", .int(-59))]), true),
    (DynamicObject([("exp", .int(-61))]), false), (DynamicObject([("iat", .null), ("exp", .int(600))]), false),
    (DynamicObject([("iat", .null), ("exp", .int(60))]), true), (DynamicObject([("exp", .null)]), true),
    (DynamicObject([("iat", .int(-220)), ("exp", .null)]), false),
    (DynamicObject([("iat", .null), ("exp", .null), ("nbf", .int(-5))]), true),
    (DynamicObject([("iat", .null), ("exp", .null)]), false),
  ])
  func `Clocks may differ by a minute, and times that are missing follow from the others`(
    _ times: DynamicObject, _ isAccepted: Bool
  ) throws {
    var shifted = DynamicObject()
    for (name, value) in times { shifted[name] = value.int.map { .int(now.unixSeconds + $0) } ?? .null }
    let text = try reason(TestIssuer.claims(shifted), try method())
    #expect((text == "accepted") == isAccepted, "\(text)")
  }

  @Test func `Leeways of less than zero are none`() throws {
    let strict = try method(("ClockSkewLeeway", -1))
    let late = TestIssuer.claims(DynamicObject([("exp", .int(now.unixSeconds - 1))]))
    #expect(try reason(late, strict).contains("expired"))
    #expect(try reason(late, try method()) == "accepted")
  }

  @Test func `Only the algorithms of the settings are accepted where they name some`() throws {
    #expect(try reason(TestIssuer.claims(), try method(("JWTSupportedAlgs", ["ES256"]))).contains("no known key"))
    #expect(try reason(TestIssuer.claims(), try method(("JWTSupportedAlgs", ["ES256", "RS256"]))) == "accepted")
  }

  @Test(arguments: [
    (settings(), "exactly one of"), (settings(("JWTValidationPubKeys", ["junk"])), "JWTValidationPubKeys[0]"),
    (settings(("JWKSURL", "u"), ("OIDCDiscoveryURL", "v")), "exactly one of"),
    (settings(("JWKSURL", "u"), ("JWKSCACert", "junk")), "error checking JWKSCACert"),
    (settings(("JWKSURL", "u"), ("JWTSupportedAlgs", ["HS256"])), "Invalid supported algorithm: HS256"),
    (settings(("JWKSURL", "u"), ("JWTSupportedAlgs", ["none"])), "Invalid supported algorithm: none"),
    (settings(("JWKSURL", "u"), ("ClaimMappings", ["a": "x", "b": "x"])), "multiple mappings for key \"x\""),
    (settings(("JWKSURL", "u"), ("Bogus", 1), ("Also", 2)), "* '' has invalid keys: Also, Bogus"),
    (
      settings(("JWKSURL", "u"), ("ClockSkewLeeway", "5s")),
      "1 error(s) decoding:\n\n* cannot parse 'ClockSkewLeeway' as int: strconv.ParseInt: parsing \"5s\": invalid syntax"
    ), (settings(("JWKSURL", ["a": "b"])), "'JWKSURL' expected type 'string'"),
  ])
  func `Settings that break a rule say which`(_ settings: DynamicMap, _ expected: String) throws {
    let error = #expect(throws: AuthenticationError.self) { try JWTMethod(settings) }
    #expect(try #require(error).description.contains(expected))
  }

  // MARK: keys that have to be asked for

  @Test func `Keys are asked for once, and again when a signature fits none`() throws {
    let method = try JWTMethod(settings(("JWKSURL", "http://idp/keys"), ("ClaimMappings", ["user": "user"])))
    let memory = ProviderMemory()
    var script = Script()
    script.answer(.get, "http://idp/keys", String(decoding: issuer.keySet, as: UTF8.self))
    let token = try issuer.token(TestIssuer.claims(), algorithm: "ES256")
    let first = script.run(method.identify(token, memory, now: now))
    #expect(try first.0.get().variables == ["value.user": "Ada"] && first.1.count == 1)
    let second = script.run(method.identify(token, memory, now: now))
    #expect(try second.0.get().variables["value.user"] == "Ada" && second.1.isEmpty)

    let forged = token.dropLast(8) + "AAAAAAAA"
    let refused = AuthenticationError.provider("error verifying token: failed to verify id token signature")
    // At once it costs the provider nothing; a while later the issuer may have new keys.
    let early = script.run(method.identify(String(forged), memory, now: now))
    #expect(early.1.isEmpty && early.0 == .failure(refused))
    let later = Timestamp(seconds: now.seconds + 6)
    let late = script.run(method.identify(String(forged), memory, now: later))
    #expect(late.1.count == 1 && late.0 == .failure(refused))
  }

  @Test func `With discovery the issuer has to be the one that was asked`() throws {
    let method = try JWTMethod(settings(("OIDCDiscoveryURL", "http://idp"), ("ClaimMappings", ["user": "user"])))
    var script = Script()
    script.answer(
      .get, "http://idp/.well-known/openid-configuration",
      #"{"issuer":"http://idp","jwks_uri":"http://idp/keys","id_token_signing_alg_values_supported":["RS256"]}"#)
    script.answer(.get, "http://idp/keys", String(decoding: issuer.keySet, as: UTF8.self))
    func text(_ more: DynamicObject, algorithm: String = "RS256") throws -> String {
      let token = try issuer.token(TestIssuer.claims(more), algorithm: algorithm)
      switch script.run(method.identify(token, ProviderMemory(), now: now)).0 {
      case .success: return "accepted"
      case .failure(let error): return error.description
      }
    }
    let own = DynamicObject([("iss", "http://idp")])
    #expect(try text(own) == "accepted")
    #expect(
      try text(DynamicObject())
        == "error validating signature: oidc: id token issued by a different provider, expected \"http://idp\" got \"issuer\""
    )
    #expect(try text(own, algorithm: "ES256").contains("unsupported algorithm, expected [\"RS256\"] got \"ES256\""))
  }

  @Test func `Settings are checked against what is there`() throws {
    let method = try JWTMethod(settings(("JWKSURL", "http://idp/keys")))
    var script = Script()
    #expect(
      script.run(method.verifySettings()).0.failure?.description
        == "error checking JWKSURL: fetching keys oidc: get keys failed Get \"http://idp/keys\": connection refused")
    script.answers = [
      (.get, "http://idp/keys", .success(OutboundResponse(status: 404, reason: "Not Found", body: Array("no".utf8))))
    ]
    #expect(
      script.run(method.verifySettings()).0.failure?.description
        == "error checking JWKSURL: fetching keys oidc: get keys failed: 404 Not Found no")
    script.answers = []
    script.answer(.get, "http://idp/keys", "{\"keys\":[]}")
    #expect(script.run(method.verifySettings()).0.failure == nil)
  }
}

extension Result {
  var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
