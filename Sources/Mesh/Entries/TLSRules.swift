import Model

/// Versions of TLS and cipher suites, as entries name them.
enum TLSRules {
  /// In ascending order, behind the one that means no limit.
  static let versions = ["TLS_AUTO", "TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"]

  /// What Envoy's TLS library has for versions up to 1.2 (Envoy documentation, "TLS parameters").
  static let cipherSuites: Set<String> = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_256_CBC_SHA",
  ]

  /// - Parameter prefix: says where, with what divides it from the complaint.
  static func check(
    minimum: String, maximum: String, suites: [String], prefix: String = ""
  ) throws(ConfigEntryError) {
    for version in [minimum, maximum] where !version.isEmpty {
      try require(
        versions.contains(version),
        "\(prefix)no matching TLS version found for \(version), please specify one of "
          + "[\(versions.joined(separator: ", "))]")
    }
    if let low = versions.firstIndex(of: minimum), let high = versions.firstIndex(of: maximum), high > 0, high < low {
      throw ConfigEntryError(
        "\(prefix)configuring max version \(maximum) less than the configured min version \(minimum) is invalid")
    }
    guard !suites.isEmpty else { return }
    try require(
      minimum != "TLSv1_3",
      "\(prefix)configuring CipherSuites is only applicable to connections negotiated with TLS 1.2 or earlier, "
        + "TLSMinVersion is set to \(minimum)")
    for suite in suites {
      try require(cipherSuites.contains(suite), "\(prefix)no matching Envoy TLS cipher suite found for \(suite)")
    }
  }
}
