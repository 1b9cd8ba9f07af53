import Model
import Testing

@testable import Authentication

@Suite struct OIDCMethodTests {
  private let issuer = TestIssuer.shared
  private let now = TestIssuer.now
  private let redirect = "http://localhost:8550/oidc/callback"

  private func method(_ more: (key: String, value: Dynamic)...) throws -> OIDCMethod {
    var members = DynamicObject([
      ("OIDCDiscoveryURL", "http://idp"), ("OIDCClientID", "client"), ("OIDCClientSecret", "hush"),
      ("AllowedRedirectURIs", [.string(redirect)]), ("OIDCScopes", ["groups"]), ("ClaimMappings", ["user": "user"]),
      ("ListClaimMappings", ["groups": "groups"]),
    ])
    for (key, value) in more { members[key] = value }
    return try OIDCMethod(DynamicMap(members))
  }

  private var login: BrowserLogin {
    BrowserLogin(
      method: "o", redirectURI: redirect, clientNonce: "mine", meta: StringMap(), random: (0..<96).map { UInt8($0) })
  }

  private func script(_ idToken: String, userInfo: String? = nil) -> Script {
    var script = Script()
    let info = userInfo == nil ? "" : #","userinfo_endpoint":"http://idp/info""#
    script.answer(
      .get, "http://idp/.well-known/openid-configuration",
      """
      {"issuer":"http://idp","authorization_endpoint":"http://idp/auth?a=b","token_endpoint":"http://idp/token",\
      "jwks_uri":"http://idp/keys","id_token_signing_alg_values_supported":["RS256"]\(info)}
      """)
    script.answer(.get, "http://idp/keys", String(decoding: issuer.keySet, as: UTF8.self))
    script.answer(.post, "http://idp/token", #"{"id_token":"\#(idToken)","access_token":"access"}"#)
    if let userInfo { script.answer(.get, "http://idp/info", userInfo) }
    return script
  }

  private func claims(_ more: (key: String, value: Dynamic)...) throws -> String {
    var all = DynamicObject([
      ("iss", "http://idp"), ("aud", "client"), ("sub", "7"), ("nonce", .string(login.nonce)),
    ])
    for (key, value) in more { all[key] = value }
    return try issuer.token(TestIssuer.claims(all))
  }

  @Test func `The browser is sent to the provider with a challenge`() throws {
    let url = try script("").run(method().begin(login, ProviderMemory(), now: now)).0.get()
    #expect(
      url.hasPrefix("http://idp/auth?a=b&response_type=code&client_id=client&redirect_uri=http%3A%2F%2Flocalhost"))
    for part in ["scope=openid%20groups", "state=\(login.state)", "nonce=\(login.nonce)", "code_challenge_method=S256"]
    {
      #expect(url.contains(part))
    }
    #expect(url.contains("code_challenge=\(login.challenge)") && !url.contains(login.verifier))
  }

  @Test func `A place to come back to that the settings do not name is refused before anybody is asked`() throws {
    var elsewhere = login
    elsewhere.redirectURI = "http://evil.example/oidc/callback"
    let (result, asked) = script("").run(try method().begin(elsewhere, ProviderMemory(), now: now))
    #expect(result.failure?.description == "unauthorized redirect_uri: http://evil.example/oidc/callback")
    #expect(asked.isEmpty)
  }

  @Test func `The code is exchanged with the verifier and the secret`() throws {
    let (result, asked) = script(try claims()).run(
      try method().finish(login, code: "c&d", ProviderMemory(), now: now))
    #expect(try result.get().variables == ["value.user": "Ada"])
    let exchange = try #require(asked.first { $0.url == "http://idp/token" })
    let form = FormEncoding.decode(String(decoding: exchange.body, as: UTF8.self))
    #expect(form.contains { $0 == ("code", "c&d") } && form.contains { $0 == ("code_verifier", login.verifier) })
    #expect(exchange.headers.contains { $0 == ("Authorization", "Basic " + Base64.encode(Array("client:hush".utf8))) })
  }

  @Test func `What the provider adds on request is believed if it is about the same person`() throws {
    let known = try script(try claims(("groups", .null)), userInfo: #"{"sub":"7","groups":["x"],"user":"other"}"#)
      .run(method().finish(login, code: "c", ProviderMemory(), now: now)).0.get()
    #expect(known.variables["value.user"] == "Ada")
    let refused = script(try claims(), userInfo: #"{"sub":"8"}"#)
      .run(try method().finish(login, code: "c", ProviderMemory(), now: now)).0
    #expect(refused.failure?.description.contains("somebody else") == true)
  }

  @Test(
    arguments: [
      ("nonce", "other", "invalid ID token nonce"), ("aud", "other", "oidc: expected audience \"client\""),
      ("azp", "other", "issued to another party"), ("exp", .null, "no expiration time"),
      ("exp", 1, "token is expired"), ("iss", "http://evil", "issued by a different provider"),
    ] as [(String, Dynamic, String)])
  func `A token that was not made for this login is refused`(
    _ name: String, _ value: Dynamic, _ expected: String
  ) throws {
    let result = script(try claims((name, value)))
      .run(try method().finish(login, code: "c", ProviderMemory(), now: now)).0
    #expect(result.failure?.description.contains(expected) == true, "\(result)")
  }

  @Test func `A login can be finished once, in time, by whoever began it`() throws {
    var logins = BrowserLogins()
    let state = login.state
    func finish(_ logins: inout BrowserLogins, state: String, nonce: String = "mine", after: Int64 = 0) throws {
      _ = try logins.finish(
        state: state, method: "o", clientNonce: nonce, now: Timestamp(seconds: now.seconds + after))
    }
    logins.begin(login, now: now)
    try finish(&logins, state: state)
    #expect(throws: AuthenticationError.self) { try finish(&logins, state: state) }
    logins.begin(login, now: now)
    #expect(throws: AuthenticationError.self) { try finish(&logins, state: state, nonce: "other") }
    logins.begin(login, now: now)
    #expect(throws: AuthenticationError.self) { try finish(&logins, state: state, after: 601) }
    #expect(throws: AuthenticationError.self) { try finish(&logins, state: "st_unknown") }
    for number in 0..<BrowserLogins.countLimit + 5 {
      var other = login
      other.state = "st_\(number)"
      logins.begin(other, now: Timestamp(seconds: now.seconds + Int64(number % 100)))
    }
    #expect(logins.count <= BrowserLogins.countLimit)
  }

  @Test(arguments: ["OIDCDiscoveryURL", "OIDCClientID", "OIDCClientSecret", "AllowedRedirectURIs"])
  func `Settings that are missing are named`(_ name: String) {
    #expect(throws: AuthenticationError.setting("'\(name)' must be set for type \"oidc\"")) {
      try method((name, .null))
    }
  }
}
