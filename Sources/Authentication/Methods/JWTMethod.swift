import Model

/// The type `jwt`: the bearer presents a token that an issuer signed whose keys are known or can be asked for.
public struct JWTMethod: Sendable {
  /// Where the keys come from.
  enum Source: Sendable {
    case keys(KeySet)
    case keySet(url: String, OutboundRequest.Trust)
    case discovery(url: String, OutboundRequest.Trust)
  }

  let source: Source
  /// Algorithms that tokens may be signed with; empty for those that fit the keys.
  let algorithms: [SignatureAlgorithm]
  let rules: ClaimRules
  let mapping: ClaimMapping

  public init(_ settings: DynamicMap) throws(AuthenticationError) {
    var reader = SettingsReader(settings)
    let keys = reader.strings("JWTValidationPubKeys")
    let keysURL = reader.string("JWKSURL")
    let keysAuthority = reader.string("JWKSCACert")
    let discoveryURL = reader.string("OIDCDiscoveryURL")
    let discoveryAuthority = reader.string("OIDCDiscoveryCACert")
    let algorithms = reader.strings("JWTSupportedAlgs")
    var rules = ClaimRules()
    rules.audiences = reader.strings("BoundAudiences")
    rules.issuer = reader.string("BoundIssuer")
    rules.expirationLeeway = reader.leeway("ExpirationLeeway", standard: rules.expirationLeeway)
    rules.notBeforeLeeway = reader.leeway("NotBeforeLeeway", standard: rules.notBeforeLeeway)
    rules.clockSkew = reader.leeway("ClockSkewLeeway", standard: rules.clockSkew)
    let (values, lists) = (reader.map("ClaimMappings"), reader.map("ListClaimMappings"))
    try reader.finish()

    guard [!keys.isEmpty, !keysURL.isEmpty, !discoveryURL.isEmpty].count(where: { $0 }) == 1 else {
      throw .setting(
        "exactly one of 'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL' must be set for type \"jwt\"")
    }
    if !keys.isEmpty {
      source = .keys(KeySet(try Self.keys(keys)))
    } else if !keysURL.isEmpty {
      source = .keySet(url: keysURL, try Self.trust(keysAuthority, "JWKSCACert"))
    } else {
      source = .discovery(url: discoveryURL, try Self.trust(discoveryAuthority, "OIDCDiscoveryCACert"))
    }
    self.algorithms = try SignatureAlgorithm.list(algorithms)
    self.rules = rules
    mapping = try ClaimMapping(values: values, lists: lists)
  }

  private static func keys(_ texts: [String]) throws(AuthenticationError) -> [VerificationKey] {
    var keys: [VerificationKey] = []
    for (index, text) in texts.enumerated() {
      guard let key = VerificationKey(pem: text) else {
        throw .setting(
          "error parsing public key JWTValidationPubKeys[\(index)]: data does not contain any valid RSA, ECDSA, or "
            + "ED25519 public keys")
      }
      keys.append(key)
    }
    return keys
  }

  static func trust(_ authority: String, _ name: String) throws(AuthenticationError) -> OutboundRequest.Trust {
    if authority.isEmpty { return .system }
    guard AuthorityText.isValid(authority) else {
      throw .setting("error checking \(name): could not parse CA PEM value successfully")
    }
    return .authorities(authority)
  }

  func verifySettings() -> Progress<Void> {
    switch source {
    case .keys: .done(())
    case .keySet(let url, let trust):
      KeySet.fetch(url, trust: trust).map { _ in }
        .mapError { .setting("error checking JWKSURL: fetching keys \($0)") }
    case .discovery(let url, let trust):
      OIDCProvider.discover(url, trust: trust).map { _ in }
        .mapError { .setting("error checking OIDCDiscoveryURL: \($0)") }
    }
  }

  var template: ClaimAttributes { ClaimAttributes(template: mapping) }

  func identify(_ bearerToken: String, _ memory: ProviderMemory, now: Timestamp) -> Progress<Identity> {
    if bearerToken.isEmpty { return .failed(.missingToken) }
    return .attempt { () throws(AuthenticationError) in
      switch source {
      case .keys(let keys):
        let token = try SignedToken(bearerToken, doing: "error parsing token")
        guard isAllowed(token), keys.verifies(token) else {
          throw .signature(doing: "no known key successfully validated the token signature")
        }
        return .done(try identity(token, now: now))
      case .keySet(let url, let trust):
        let token = try SignedToken(bearerToken, doing: "error parsing token")
        guard isAllowed(token) else { throw .signature(doing: "error verifying token: \(Self.badSignature)") }
        return memory.verify(token, url: url, trust: trust, now: now)
          .mapError { .provider("error verifying token: \($0)") }
          .map { (_) throws(AuthenticationError) in try identity(token, now: now) }
      case .discovery(let url, let trust):
        let token = try SignedToken(bearerToken, doing: "error parsing token")
        return memory.provider(url, trust: trust, now: now)
          .then { (provider) in
            provider.verify(token, allowed: algorithms, memory, trust: trust, now: now)
          }
          .mapError { .provider("error validating signature: \($0)") }
          .map { (_) throws(AuthenticationError) in try identity(token, now: now) }
      }
    }
  }

  static let badSignature = "failed to verify id token signature"

  private func isAllowed(_ token: SignedToken) -> Bool {
    guard let algorithm = token.algorithm else { return false }
    return algorithms.isEmpty || algorithms.contains(algorithm)
  }

  private func identity(_ token: SignedToken, now: Timestamp) throws(AuthenticationError) -> Identity {
    try rules.check(token.claims, now: now)
    return .claims(try mapping.attributes(of: token.claims))
  }
}

extension OIDCProvider {
  /// Whether this provider signed a token, for itself.
  ///
  /// - Parameter allowed: the algorithms of the settings; without any, those that the provider names.
  func verify(
    _ token: SignedToken, allowed: [SignatureAlgorithm], _ memory: ProviderMemory, trust: OutboundRequest.Trust,
    now: Timestamp
  ) -> Progress<Void> {
    guard token.claims.issuer == issuer else {
      return .failed(
        .claim(
          "oidc: id token issued by a different provider, expected \(issuer.goQuoted) "
            + "got \((token.claims.issuer ?? "").goQuoted)"))
    }
    let usual = algorithms.isEmpty ? [.rs256] : algorithms
    let fitting = allowed.isEmpty ? usual : allowed
    guard let algorithm = token.algorithm, fitting.contains(algorithm) else {
      let names = fitting.map(\.rawValue.goQuoted).joined(separator: " ")
      return .failed(
        .claim(
          "oidc: id token signed with unsupported algorithm, expected [\(names)] "
            + "got \(token.algorithmName.goQuoted)"))
    }
    return memory.verify(token, url: keysURL, trust: trust, now: now)
      .mapError { .signature(doing: "failed to verify signature: \($0)") }
  }
}
