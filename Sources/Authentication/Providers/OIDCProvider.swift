import Model

/// What an OpenID provider publishes of itself (OpenID Connect Discovery 1.0, section 3).
public struct OIDCProvider: Sendable, Equatable {
  public var issuer: String
  public var authorizationEndpoint: String
  public var tokenEndpoint: String
  public var keysURL: String
  public var userInfoEndpoint: String
  /// Algorithms that it signs with, as far as they are known here.
  public var algorithms: [SignatureAlgorithm]
  /// Whether the client may prove itself with its secret in an `Authorization` header, which is the default.
  public var acceptsBasicAuthentication: Bool

  /// Asks the provider.
  ///
  /// - Parameter url: without `/.well-known/…`. The provider has to call itself by the same name.
  public static func discover(_ url: String, trust: OutboundRequest.Trust) -> Progress<OIDCProvider> {
    let base = url.hasSuffix("/") ? String(url.dropLast()) : url
    let request = OutboundRequest(.get, base + "/.well-known/openid-configuration", trust: trust)
    return .asking(request) { (response) throws(AuthenticationError) in
      guard response.status == 200 else { throw .provider("\(response.statusText): \(response.excerpt)") }
      return .done(try OIDCProvider(json: response.body, url: url))
    }
  }

  init(json: [UInt8], url: String) throws(AuthenticationError) {
    let document: Dynamic
    do throws(JSONError) {
      document = try Dynamic(json: json)
    } catch {
      throw .provider("oidc: failed to decode provider discovery object: \(error)")
    }
    func text(_ name: String) -> String { document[name]?.string ?? "" }
    issuer = text("issuer")
    guard issuer == url else {
      throw .provider(
        "oidc: issuer did not match the issuer returned by provider, expected \(url.goQuoted) got \(issuer.goQuoted)")
    }
    authorizationEndpoint = text("authorization_endpoint")
    tokenEndpoint = text("token_endpoint")
    keysURL = text("jwks_uri")
    userInfoEndpoint = text("userinfo_endpoint")
    algorithms = (document["id_token_signing_alg_values_supported"]?.array ?? [])
      .compactMap { $0.string.flatMap { SignatureAlgorithm(rawValue: $0) } }
    let ways = document["token_endpoint_auth_methods_supported"]?.array?.compactMap(\.string)
    acceptsBasicAuthentication = ways?.contains("client_secret_basic") ?? true
  }
}

extension KeySet {
  /// Asks for the keys at a URL.
  public static func fetch(_ url: String, trust: OutboundRequest.Trust) -> Progress<KeySet> {
    var request = OutboundRequest(.get, url, trust: trust)
    request.answerLimit = sizeLimit
    return .asking(request, unreachable: { .provider("oidc: get keys failed \($0)") }) {
      (response) throws(AuthenticationError) in
      guard response.status == 200 else {
        throw .provider("oidc: get keys failed: \(response.statusText) \(response.excerpt)")
      }
      return .done(try KeySet(json: response.body))
    }
  }
}
