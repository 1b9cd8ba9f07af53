extension RuntimeConfiguration {
  public struct TLS: Sendable, Equatable {
    public enum Version: String, Sendable, CaseIterable {
      case automatic = "TLS_AUTO"
      case tls10 = "TLSv1_0"
      case tls11 = "TLSv1_1"
      case tls12 = "TLSv1_2"
      case tls13 = "TLSv1_3"
    }

    /// TLS of one interface, `tls.defaults` filled in.
    public struct Interface: Sendable, Equatable {
      public var caFile = ""
      public var caPath = ""
      public var certFile = ""
      public var keyFile = ""
      public var minVersion = Version.tls12
      /// Names of cipher suites up to TLS 1.2; empty: the library's.
      public var cipherSuites: [String] = []
      public var verifyIncoming = false
      public var verifyOutgoing = false
      public var verifyServerHostname = false
      /// The interface presents the automatic certificate.
      public var useAutomaticCertificate = false

      /// Whether there is anything that only matters with TLS.
      public var isConfigured: Bool {
        !(caFile.isEmpty && caPath.isEmpty && certFile.isEmpty && keyFile.isEmpty) || verifyIncoming || verifyOutgoing
      }

      public var hasAuthority: Bool { !(caFile.isEmpty && caPath.isEmpty) }
      public var hasCertificate: Bool { !certFile.isEmpty && !keyFile.isEmpty }
    }

    public var https: Interface
    public var grpc: Interface
    public var internalRPC: Interface
    /// Name in the certificate instead of the node's; empty: the node's.
    public var serverName: String

    init(_ reader: inout SettingReader) throws(ConfigurationError) {
      let misplaced = ["tls.grpc", "tls.https"].first { reader.values["\($0).verify_server_hostname"] != nil }
      guard misplaced == nil else {
        throw .invalid("verify_server_hostname is only valid in the tls.defaults and tls.internal_rpc stanzas")
      }
      var defaults = Interface()
      Self.fill(&defaults, &reader, "tls.defaults")
      https = defaults
      grpc = defaults
      internalRPC = defaults
      Self.fill(&https, &reader, "tls.https")
      Self.fill(&grpc, &reader, "tls.grpc")
      Self.fill(&internalRPC, &reader, "tls.internal_rpc")
      https.verifyServerHostname = false
      grpc.verifyServerHostname = false
      // The agent makes no connections to gRPC listeners.
      grpc.verifyOutgoing = false
      grpc.useAutomaticCertificate = reader.bool("tls.grpc.use_auto_cert")
      // To check the name, there must be a certificate.
      if internalRPC.verifyServerHostname { internalRPC.verifyOutgoing = true }
      serverName = reader.string("server_name")
    }

    /// Replaces the values that this block sets.
    private static func fill(_ interface: inout Interface, _ reader: inout SettingReader, _ block: String) {
      let values = reader.values
      interface.caFile = values["\(block).ca_file"]?.string ?? interface.caFile
      interface.caPath = values["\(block).ca_path"]?.string ?? interface.caPath
      interface.certFile = values["\(block).cert_file"]?.string ?? interface.certFile
      interface.keyFile = values["\(block).key_file"]?.string ?? interface.keyFile
      interface.verifyIncoming = values.optionalBool("\(block).verify_incoming") ?? interface.verifyIncoming
      interface.verifyOutgoing = values.optionalBool("\(block).verify_outgoing") ?? interface.verifyOutgoing
      interface.verifyServerHostname =
        values.optionalBool("\(block).verify_server_hostname") ?? interface.verifyServerHostname
      if let text = values.nonEmptyString("\(block).tls_min_version") {
        interface.minVersion = version(text, &reader, "\(block).tls_min_version") ?? interface.minVersion
      }
      if let text = values.nonEmptyString("\(block).tls_cipher_suites") {
        interface.cipherSuites = suites(text, interface.minVersion, &reader, "\(block).tls_cipher_suites")
      }
    }

    private static func version(_ text: String, _ reader: inout SettingReader, _ path: String) -> Version? {
      if let version = Version(rawValue: text) { return version }
      let known = Version.allCases.map(\.rawValue).joined(separator: ", ")
      reader.problem(
        "\(path): invalid TLS version: no matching TLS version found for \(text), please specify one of [\(known)]")
      return nil
    }

    private static func suites(
      _ text: String, _ version: Version, _ reader: inout SettingReader, _ path: String
    ) -> [String] {
      guard version != .tls13 else {
        reader.problem("\(path): TLS 1.3 cipher suites are not configurable")
        return []
      }
      let names = text.split(separator: ",").map { AddressTemplate.trimmed(String($0)) }
      for name in names where !supportedSuites.contains(name) {
        reader.problem(
          "\(path): invalid TLS cipher suites: no matching Consul Agent TLS cipher suite found for \(name)")
      }
      return names.filter { supportedSuites.contains($0) }
    }

    /// Suites up to TLS 1.2 that may be named (IANA names).
    public static let supportedSuites: Set<String> = [
      "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_128_GCM_SHA256",
      "TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
      "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
      "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ]
  }
}
