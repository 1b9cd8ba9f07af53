import NIOSSL

/// What the configuration says about the TLS of one face.
public struct TLSSettings: Sendable, Equatable {
  public enum Version: Sendable {
    case tls10, tls11, tls12, tls13
  }

  /// PEM file with the authorities that are trusted. It wins over `authorityDirectory`.
  public var authorityFile = ""
  /// Directory of such files.
  public var authorityDirectory = ""
  /// PEM file with the certificate, and those of the authorities between it and a trusted one.
  public var certificateFile = ""
  public var keyFile = ""
  public var minimumVersion = Version.tls12
  /// IANA names of suites up to TLS 1.2; empty for the library's choice.
  public var cipherSuites: [String] = []
  /// Clients have to present a certificate of a trusted authority.
  public var verifiesIncoming = false
  /// Servers have to present one.
  public var verifiesOutgoing = false
  /// That of servers has to carry the name of a server.
  public var verifiesServerHostname = false
  /// The certificate that servers gave the agent may be presented; matters for gRPC only.
  public var usesAutomaticCertificate = false
  /// What clients may name in a handshake that comes first (ALPN); matters for internal RPC only.
  public var nativeProtocols: [String] = []
  /// The servers are asked for a certificate (`auto_encrypt.tls`, `auto_config`).
  public var awaitsAutomaticCertificate = false
  /// Without any authority, the server that is asked is trusted that once (`auto_encrypt.tls`). Who has a secret to tell
  /// (`auto_config`) trusts the authorities of the machine then.
  public var trustsFirstServer = false

  public init() {}

  public var hasAuthority: Bool { !authorityFile.isEmpty || !authorityDirectory.isEmpty }

  func outgoingVerification(_ automatic: AutomaticCertificate?) -> CertificateVerification {
    if verifiesServerHostname || automatic?.verifiesServerHostname == true { return .fullVerification }
    return verifiesOutgoing || automatic != nil ? .noHostnameVerification : .none
  }

  func loadAuthorities() throws(TLSError) -> [NIOSSLCertificate]? {
    do {
      return try PEMFiles.authorities(file: authorityFile, directory: authorityDirectory)
    } catch {
      throw .authority(path: authorityFile.isEmpty ? authorityDirectory : authorityFile, error)
    }
  }

  func loadCertificate() throws(TLSError) -> CertificatePair? {
    guard !certificateFile.isEmpty, !keyFile.isEmpty else { return nil }
    do {
      return CertificatePair(
        chain: try PEMFiles.certificates(certificateFile), key: try PEMFiles.privateKey(keyFile))
    } catch {
      throw .certificate(.file(error))
    }
  }

  func apply(to configuration: inout TLSConfiguration) {
    configuration.minimumTLSVersion =
      switch minimumVersion {
      case .tls10: .tlsv1
      case .tls11: .tlsv11
      case .tls12: .tlsv12
      case .tls13: .tlsv13
      }
    if !cipherSuites.isEmpty { configuration.cipherSuites = cipherSuites.joined(separator: ":") }
  }
}

/// The TLS settings of an agent.
public struct AgentTLSSettings: Sendable, Equatable {
  public var https = TLSSettings()
  public var grpc = TLSSettings()
  public var internalRPC = TLSSettings()
  /// The cluster's DNS domain, which the names of servers end with.
  public var domain = "consul."

  public init() {}

  public subscript(face: TransportSecurity.Face) -> TLSSettings {
    switch face {
    case .https: https
    case .grpc: grpc
    case .internalRPC: internalRPC
    }
  }
}

/// A certificate that the servers gave an agent, all parts in PEM.
public struct AutomaticCertificate: Sendable, Equatable {
  public var chain: String
  public var key: String
  public var authorities: [String]
  /// Those who gave it say that certificates of servers have to name one.
  public var verifiesServerHostname: Bool

  public init(chain: String, key: String, authorities: [String], verifiesServerHostname: Bool = false) {
    self.verifiesServerHostname = verifiesServerHostname
    self.chain = chain
    self.key = key
    self.authorities = authorities
  }

  func loadAuthorities() throws(TLSError) -> [NIOSSLCertificate] { try Self.load(authorities) }

  static func load(_ authorities: [String]) throws(TLSError) -> [NIOSSLCertificate] {
    var all: [NIOSSLCertificate] = []
    for pem in authorities {
      guard let found = PEMFiles.certificates(in: Array(pem.utf8)) else { throw .certificate(.malformed) }
      all += found
    }
    return all
  }

  func loadCertificate() throws(TLSError) -> CertificatePair {
    guard let chain = PEMFiles.certificates(in: Array(chain.utf8)),
      let key = try? NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
    else { throw .certificate(.malformed) }
    return CertificatePair(chain: chain, key: key)
  }
}

struct CertificatePair: Sendable {
  var chain: [NIOSSLCertificate]
  var key: NIOSSLPrivateKey
}
