import Model

/// What the claims of a token must say before its bearer is believed (RFC 7519, section 7.2).
struct ClaimRules: Sendable {
  /// "" for any issuer.
  var issuer = ""
  /// One of them has to be in the token; none accepts all.
  var audiences: [String] = []
  /// Times that a token does not give are made of those that it gives: it expires so long after it began, and began so long
  /// before it expires.
  var expirationLeeway = GoDuration.seconds(150)
  var notBeforeLeeway = GoDuration.seconds(150)
  /// How far the clocks may be apart.
  var clockSkew = GoDuration.seconds(60)

  /// - Throws: `AuthenticationError.claim`
  func check(_ claims: Claims, now: Timestamp) throws(AuthenticationError) {
    guard claims.issuedAt != nil || claims.notBefore != nil || claims.expiration != nil else {
      throw .claim("no issue time, notbefore, or expiration time encoded in token")
    }
    if !issuer.isEmpty, claims.issuer != issuer { throw Self.failure("invalid issuer claim (iss)") }
    try checkTimes(claims, now: now)
    if !audiences.isEmpty, !audiences.contains(where: claims.audience.contains) {
      throw .claim("error validating claims: aud claim does not match any bound audience")
    }
  }

  private func checkTimes(_ claims: Claims, now: Timestamp) throws(AuthenticationError) {
    let now = Double(now.unixSeconds) + Double(now.nanoseconds) / 1e9
    let skew = clockSkew.inSeconds
    let start = max(claims.issuedAt ?? -.infinity, claims.notBefore ?? -.infinity)
    let expiration = claims.expiration ?? start + expirationLeeway.inSeconds
    let notBefore = claims.notBefore ?? claims.issuedAt ?? expiration - notBeforeLeeway.inSeconds
    if now + skew < notBefore { throw Self.failure("token not valid yet (nbf)") }
    if now - skew > expiration { throw Self.failure("token is expired (exp)") }
    if let issued = claims.issuedAt, now + skew < issued { throw Self.failure("token issued in the future (iat)") }
  }

  private static func failure(_ reason: String) -> AuthenticationError {
    .claim("error validating claims: go-jose/go-jose/jwt: validation failed, \(reason)")
  }
}

extension GoDuration {
  fileprivate var inSeconds: Double { Double(nanoseconds) / 1e9 }
}
