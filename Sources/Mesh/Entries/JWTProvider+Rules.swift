import Model

extension JWTProvider: EntryRules {
  mutating func normalize() {
    if clockSkewSeconds == 0 { clockSkewSeconds = 30 }
  }

  func validate() throws(ConfigEntryError) {
    try requireName()
    try checkMeta()
    guard let jsonWebKeySet else { throw ConfigEntryError("JSONWebKeySet is required") }
    try jsonWebKeySet.check()
    let complaints = locations.compactMap(\.complaint)
    if !complaints.isEmpty { throw ConfigEntryError(list: complaints) }
    try require(forwarding?.headerName.isEmpty != true, "Header name required for forwarding config")
  }
}

extension JSONWebKeySet {
  fileprivate func check() throws(ConfigEntryError) {
    try require(
      (local == nil) != (remote == nil), "must specify exactly one of Local or Remote JSON Web key set")
    try local?.check()
    try remote?.check()
  }
}

extension LocalJWKS {
  fileprivate func check() throws(ConfigEntryError) {
    try require(
      jwks.isEmpty != filename.isEmpty, "must specify exactly one of String or filename for local keyset")
    if case .failure = Base64.decode(jwks) { throw ConfigEntryError("JWKS must be valid base64 encoded string") }
  }
}

extension RemoteJWKS {
  fileprivate func check() throws(ConfigEntryError) {
    try require(!uri.isEmpty, "Remote JWKS URI is required")
    if let problem = uri.requestURIProblem {
      throw ConfigEntryError("Remote JWKS URI is invalid: parse \(uri.goQuoted): \(problem), uri: \(uri)")
    }
    if let backOff = retryPolicy?.retryPolicyBackOff {
      try require(
        backOff.maxInterval == .zero || backOff.maxInterval >= backOff.baseInterval,
        "retry policy backoff's MaxInterval should be greater or equal to BaseInterval")
    }
    try jwksCluster?.check()
  }
}

extension JWKSCluster {
  fileprivate func check() throws(ConfigEntryError) {
    try require(
      ["", "STRICT_DNS", "STATIC", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"].contains(discoveryType),
      "unsupported jwks cluster discovery type: \(discoveryType.goQuoted)")
    guard let tlsCertificates else { return }
    try require(
      (tlsCertificates.caCertificateProviderInstance == nil) != (tlsCertificates.trustedCA == nil),
      "must specify exactly one of: CaCertificateProviderInstance or TrustedCA for JKWS' TLSCertificates")
    guard let authority = tlsCertificates.trustedCA else { return }
    let ways = [authority.filename, authority.environmentVariable, authority.inlineString].count { !$0.isEmpty }
    try require(
      ways + (authority.inlineBytes.isEmptyValue ? 0 : 1) == 1,
      "must specify exactly one of: Filename, EnvironmentVariable, InlineString or InlineBytes for JWKS' TrustedCA")
  }
}

extension JWTLocation {
  fileprivate var complaint: String? {
    switch (header, queryParam, cookie) {
    case (let header?, nil, nil): header.name.isEmpty ? "JWT location header name must be specified" : nil
    case (nil, let parameter?, nil): parameter.name.isEmpty ? "JWT location query param name must be specified" : nil
    case (nil, nil, let cookie?): cookie.name.isEmpty ? "JWT location cookie name must be specified" : nil
    default: "must set exactly one of: JWT location header, query param or cookie"
    }
  }
}

extension String {
  /// Why this cannot be requested; nil for an absolute URI and for a path.
  fileprivate var requestURIProblem: String? {
    if utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "net/url: invalid control character in URL" }
    if utf8.first == UInt8(ascii: "/") { return nil }
    guard let colon = utf8.firstIndex(of: UInt8(ascii: ":")) else { return "invalid URI for request" }
    let scheme = utf8[..<colon]
    if scheme.isEmpty { return "missing protocol scheme" }
    for (index, byte) in scheme.enumerated() {
      let isLetter = byte.isAlphanumeric && byte > UInt8(ascii: "9")
      let isOther = [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(byte) || byte.isAlphanumeric
      if isLetter || (isOther && index > 0) { continue }
      return isOther ? "first path segment in URL cannot contain colon" : "invalid URI for request"
    }
    return nil
  }
}
