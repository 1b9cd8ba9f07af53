import Crypto
import Model

/// The type `oidc`: a person logs in at an OpenID provider in the browser (OpenID Connect Core 1.0, section 3.1), which sends
/// the browser back with a code that is exchanged for a signed token.
public struct OIDCMethod: Sendable {
  let discoveryURL: String
  let trust: OutboundRequest.Trust
  let clientID: String
  private let clientSecret: Secret
  public let allowedRedirectURIs: [String]
  private let scopes: [String]
  private let acrValues: [String]
  private let algorithms: [SignatureAlgorithm]
  private let rules: ClaimRules
  private let mapping: ClaimMapping
  /// Whether the claims of a login may be written to the log.
  public let logsClaims: Bool

  public init(_ settings: DynamicMap) throws(AuthenticationError) {
    var reader = SettingsReader(settings)
    discoveryURL = reader.string("OIDCDiscoveryURL")
    let authority = reader.string("OIDCDiscoveryCACert")
    clientID = reader.string("OIDCClientID")
    clientSecret = Secret(reader.string("OIDCClientSecret"))
    allowedRedirectURIs = reader.strings("AllowedRedirectURIs")
    scopes = reader.strings("OIDCScopes")
    acrValues = reader.strings("OIDCACRValues")
    let algorithms = reader.strings("JWTSupportedAlgs")
    var rules = ClaimRules()
    rules.audiences = reader.strings("BoundAudiences")
    rules.expirationLeeway = reader.leeway("ExpirationLeeway", standard: rules.expirationLeeway)
    rules.notBeforeLeeway = reader.leeway("NotBeforeLeeway", standard: rules.notBeforeLeeway)
    rules.clockSkew = reader.leeway("ClockSkewLeeway", standard: rules.clockSkew)
    self.rules = rules
    let (values, lists) = (reader.map("ClaimMappings"), reader.map("ListClaimMappings"))
    logsClaims = reader.bool("VerboseOIDCLogging")
    try reader.finish()

    for (name, isMissing) in [
      ("OIDCDiscoveryURL", discoveryURL.isEmpty), ("OIDCClientID", clientID.isEmpty),
      ("OIDCClientSecret", clientSecret.isEmpty), ("AllowedRedirectURIs", allowedRedirectURIs.isEmpty),
    ] where isMissing {
      throw .setting("'\(name)' must be set for type \"oidc\"")
    }
    trust = try JWTMethod.trust(authority, "OIDCDiscoveryCACert")
    self.algorithms = try SignatureAlgorithm.list(algorithms)
    mapping = try ClaimMapping(values: values, lists: lists)
  }

  var template: ClaimAttributes { ClaimAttributes(template: mapping) }

  func verifySettings() -> Progress<Void> {
    OIDCProvider.discover(discoveryURL, trust: trust).map { _ in }
      .mapError { .setting("error checking OIDCDiscoveryURL: \($0)") }
  }

  // MARK: to the provider

  /// The address at the provider that the browser is to open.
  ///
  /// - Throws: through the progress `.unknownLogin` for a place to return to that the settings do not allow.
  public func begin(_ login: BrowserLogin, _ memory: ProviderMemory, now: Timestamp) -> Progress<String> {
    guard allowedRedirectURIs.contains(login.redirectURI) else {
      return .failed(.unknownLogin("unauthorized redirect_uri: \(login.redirectURI)"))
    }
    return memory.provider(discoveryURL, trust: trust, now: now).map { [self] provider in
      var query: [(name: String, value: String)] = [
        ("response_type", "code"), ("client_id", clientID), ("redirect_uri", login.redirectURI),
        ("scope", (["openid"] + scopes.filter { $0 != "openid" }).joined(separator: " ")), ("state", login.state),
        ("nonce", login.nonce), ("code_challenge", login.challenge), ("code_challenge_method", "S256"),
      ]
      if !acrValues.isEmpty { query.append(("acr_values", acrValues.joined(separator: " "))) }
      let address = provider.authorizationEndpoint
      return address + (address.contains("?") ? "&" : "?") + FormEncoding.encode(query)
    }
  }

  // MARK: back from it

  /// Exchanges the code for what the provider says of the person.
  public func finish(
    _ login: BrowserLogin, code: String, _ memory: ProviderMemory, now: Timestamp
  ) -> Progress<Identity> {
    memory.provider(discoveryURL, trust: trust, now: now).then { [self] provider in
      exchange(code, login, provider).then { [self] (tokens) throws(AuthenticationError) in
        let token = try SignedToken(tokens.identity, doing: "error parsing token")
        return provider.verify(token, allowed: algorithms, memory, trust: trust, now: now)
          .mapError { .provider("error validating signature: \($0)") }
          .then { [self] (_) throws(AuthenticationError) in
            try check(token.claims, login, now: now)
            return claims(token.claims, tokens.access, provider)
          }
          .map { [self] (claims) throws(AuthenticationError) in .claims(try mapping.attributes(of: claims)) }
      }
    }
  }

  private struct Tokens: Sendable {
    var identity: String
    var access: String
  }

  private func exchange(_ code: String, _ login: BrowserLogin, _ provider: OIDCProvider) -> Progress<Tokens> {
    var request = OutboundRequest(.post, provider.tokenEndpoint, trust: trust)
    var form: [(name: String, value: String)] = [
      ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", login.redirectURI),
      ("code_verifier", login.verifier), ("client_id", clientID),
    ]
    if provider.acceptsBasicAuthentication {
      let pair = FormEncoding.escape(clientID) + ":" + FormEncoding.escape(clientSecret.revealed)
      request.headers.append(("Authorization", "Basic " + Base64.encode(Array(pair.utf8))))
    } else {
      form.append(("client_secret", clientSecret.revealed))
    }
    request.headers += [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
    request.body = Array(FormEncoding.encode(form).utf8)
    return .asking(request, unreachable: { .provider("error exchanging oidc code: \($0)") }) {
      (response) throws(AuthenticationError) in
      let answer = try? Dynamic(json: response.body)
      guard response.isSuccess else {
        let reason = answer?["error_description"]?.string ?? answer?["error"]?.string ?? response.statusText
        throw .provider("error exchanging oidc code: \(reason)")
      }
      guard let token = answer?["id_token"]?.string else {
        throw .provider("error exchanging oidc code: no id_token found in response")
      }
      return .done(Tokens(identity: token, access: answer?["access_token"]?.string ?? ""))
    }
  }

  /// What holds of the token beyond its signature: it is for us, for this login, and now (section 3.1.3.7).
  private func check(_ claims: Claims, _ login: BrowserLogin, now: Timestamp) throws(AuthenticationError) {
    guard claims.audience.contains(clientID) else {
      throw .claim("oidc: expected audience \(clientID.goQuoted) got \(claims.audience.map(\.goQuoted))")
    }
    if let party = claims.members["azp"]?.string, party != clientID {
      throw .claim("oidc: token was issued to another party (azp)")
    }
    guard claims.members["nonce"]?.string == login.nonce else { throw .claim("invalid ID token nonce") }
    guard claims.expiration != nil else { throw .claim("oidc: token has no expiration time (exp)") }
    try rules.check(claims, now: now)
  }

  /// The claims of the token with those that the provider hands out on request.
  private func claims(_ claims: Claims, _ access: String, _ provider: OIDCProvider) -> Progress<Claims> {
    if access.isEmpty || provider.userInfoEndpoint.isEmpty { return .done(claims) }
    var request = OutboundRequest(.get, provider.userInfoEndpoint, trust: trust)
    request.headers = [("Authorization", "Bearer \(access)"), ("Accept", "application/json")]
    return .asking(request, unreachable: { .provider("error reading user info: \($0)") }) {
      (response) throws(AuthenticationError) in
      guard response.isSuccess, let more = (try? Dynamic(json: response.body))?.object else {
        throw .provider("error reading user info: \(response.statusText)")
      }
      guard let subject = claims.members["sub"]?.string, more["sub"]?.string == subject else {
        throw .claim("error reading user info: it is about somebody else (sub)")
      }
      var all = claims
      all.add(more)
      return .done(all)
    }
  }
}

/// A login in the browser that was begun: what has to come back, and the secret that proves who began it (RFC 7636).
public struct BrowserLogin: Sendable, Equatable {
  public var method: String
  public var redirectURI: String
  /// Chosen by whoever began the login, who has to repeat it; "" if they did not.
  public var clientNonce: String
  public var meta: StringMap
  /// Names the login on its way through the browser.
  public var state: String
  /// Stands in the token, so that nobody can present another one.
  public var nonce: String
  var verifier: String

  /// - Parameter random: at least 96 random bytes.
  public init(method: String, redirectURI: String, clientNonce: String, meta: StringMap, random: [UInt8]) {
    self.method = method
    self.redirectURI = redirectURI
    self.clientNonce = clientNonce
    self.meta = meta
    let third = random.count / 3
    state = "st_" + Base64URL.encode(random[..<third])
    nonce = "n_" + Base64URL.encode(random[third..<2 * third])
    verifier = Base64URL.encode(random[(2 * third)...])
  }

  /// What the provider is told of the verifier beforehand.
  var challenge: String { Base64URL.encode(SHA256.hash(data: Array(verifier.utf8))) }
}

/// The logins in the browser that have been begun, by their state. Each can be finished once.
public struct BrowserLogins: Sendable {
  /// How many may be open. The oldest one gives way.
  static let countLimit = 10_000
  /// How long a person may take, in seconds.
  static let lifetime: Int64 = 600

  private var open: [String: (login: BrowserLogin, begun: Timestamp)] = [:]

  public init() {}

  public var count: Int { open.count }

  public mutating func begin(_ login: BrowserLogin, now: Timestamp) {
    if open.count >= Self.countLimit { open = open.filter { $0.value.begun.isWithin(Self.lifetime, of: now) } }
    if open.count >= Self.countLimit, let oldest = open.min(by: { $0.value.begun < $1.value.begun }) {
      open[oldest.key] = nil
    }
    open[login.state] = (login, now)
  }

  /// Takes the login out, so that its code cannot be used again.
  ///
  /// - Throws: `.unknownLogin`
  public mutating func finish(
    state: String, method: String, clientNonce: String, now: Timestamp
  ) throws(AuthenticationError) -> BrowserLogin {
    guard let found = open.removeValue(forKey: state), found.login.method == method else {
      throw .unknownLogin("Expired or missing OAuth state.")
    }
    guard found.begun.isWithin(Self.lifetime, of: now) else { throw .unknownLogin("Expired or missing OAuth state.") }
    guard found.login.clientNonce == clientNonce else { throw .unknownLogin("invalid client nonce") }
    return found.login
  }
}
