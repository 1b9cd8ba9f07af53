// TransportSecurity: what an agent's connections do with TLS.
//
// It owns: the certificates, keys and authorities in force, the contexts that the TLS library makes of them, and the
// words that explain why a handshake failed. It must not know who listens or connects, nor how certificates are made.
//
//     settings, PEM files ─▶ TransportSecurity ─▶ serverContext(.https), clientConfiguration(.internalRPC) …

import NIOSSL
import Synchronization

/// The TLS settings of an agent, ready for use: contexts for what it listens on, configurations for what it connects to.
///
/// Whoever accepts connections asks for the context per connection, so that `update` takes effect without closing a
/// listener; connections that are open keep what they began with.
public final class TransportSecurity: Sendable {
  /// What an agent offers, each with settings of its own.
  public enum Face: String, Sendable, CaseIterable {
    case internalRPC = "internal_rpc"
    case grpc
    case https

    /// The protocols that a server offers for what follows the handshake (ALPN, RFC 7301).
    var applicationProtocols: [String] {
      switch self {
      case .internalRPC: []
      case .grpc: ["h2"]
      case .https: ["http/1.1"]
      }
    }
  }

  /// How a connection to the server port begins.
  public enum RPCOpening: Sendable {
    /// A byte in clear announced TLS.
    case announced
    /// The handshake comes first and names what follows it; clients always have to present a certificate.
    case native
    /// The client has no certificate yet and wants one.
    case withoutCertificate
  }

  private struct State {
    var settings: AgentTLSSettings
    var automatic: AutomaticCertificate?
    /// PEM texts of authorities that clients of internal RPC may have their certificates from besides those of the files.
    var clientAuthorities: [String] = []
    var faces: [Face: FaceMaterial]
  }

  private let state: Mutex<State>

  /// - Throws: `TLSError` for a file that cannot be read, and for certificates and keys that do not go together.
  public init(_ settings: AgentTLSSettings) throws(TLSError) {
    state = Mutex(State(settings: settings, automatic: nil, faces: try Self.load(settings, nil, [])))
  }

  /// Reads all files again. After an error everything stays as it was.
  public func update(_ settings: AgentTLSSettings) throws(TLSError) {
    let (automatic, clientAuthorities) = state.withLock { ($0.automatic, $0.clientAuthorities) }
    let faces = try Self.load(settings, automatic, clientAuthorities)
    state.withLock { state in
      state.settings = settings
      state.faces = faces
    }
  }

  /// Puts a certificate into force that the servers gave this agent, for faces that have none of their own files.
  public func setAutomaticCertificate(_ certificate: AutomaticCertificate?) throws(TLSError) {
    let (settings, clientAuthorities) = state.withLock { ($0.settings, $0.clientAuthorities) }
    let faces = try Self.load(settings, certificate, clientAuthorities)
    state.withLock { state in
      state.automatic = certificate
      state.faces = faces
    }
  }

  /// Lets clients of internal RPC have their certificates from further authorities (PEM), in place of those set before: a
  /// server takes those that the cluster's own authority gave to its agents.
  public func setClientAuthorities(_ authorities: [String]) throws(TLSError) {
    let (settings, automatic, before) = state.withLock { ($0.settings, $0.automatic, $0.clientAuthorities) }
    if before == authorities { return }
    let faces = try Self.load(settings, automatic, authorities)
    state.withLock { state in
      state.clientAuthorities = authorities
      state.faces = faces
    }
  }

  private static func load(
    _ settings: AgentTLSSettings, _ automatic: AutomaticCertificate?, _ clientAuthorities: [String]
  ) throws(TLSError) -> [Face: FaceMaterial] {
    var faces: [Face: FaceMaterial] = [:]
    for face in Face.allCases {
      faces[face] = try FaceMaterial(
        face, settings[face], automatic, clientAuthorities: face == .internalRPC ? clientAuthorities : [])
    }
    return faces
  }

  // MARK: Servers

  /// What accepted connections of a face need; nil without a certificate.
  public func serverContext(_ face: Face) -> NIOSSLContext? { state.withLock { $0.faces[face]?.serverContext } }

  /// When the first of the agent's certificates ends, in seconds since 1970; nil without any.
  public var certificateExpiry: Int? {
    state.withLock { state in state.faces.values.compactMap(\.expiry).min() }
  }

  /// What a connection to the server port needs that began in this way; nil without a certificate.
  public func serverContext(_ opening: RPCOpening) -> NIOSSLContext? {
    state.withLock { state in
      guard let face = state.faces[.internalRPC] else { return nil }
      switch opening {
      case .announced: return face.serverContext
      case .native: return face.nativeContext
      case .withoutCertificate: return face.openContext
      }
    }
  }

  /// Whether a connection may act for a server: where both sides verify, only with a certificate that names one
  /// (`server.<datacenter>.<domain>`) and was not made by the authority that gives clients theirs.
  public func mayBeServer(_ certificate: NIOSSLCertificate?, datacenter: String) -> Bool {
    let settings = state.withLock { $0.settings.internalRPC }
    guard settings.verifiesIncoming, settings.verifiesServerHostname else { return true }
    guard let names = certificate.map({ CertificateNames($0) }) else { return false }
    return names.cover(serverHostname(datacenter: datacenter)) && !names.hasWorkloadIdentity
  }

  /// Whether clients of a face have to present a certificate.
  public func verifiesIncoming(_ face: Face) -> Bool { state.withLock { $0.settings[face].verifiesIncoming } }

  // MARK: Clients

  /// How to connect to the same face of another agent: own certificate, authorities, and what is verified.
  ///
  /// With `verifiesServerHostname`, the connection has to expect `serverHostname(datacenter:)`.
  public func clientConfiguration(_ face: Face) -> TLSConfiguration {
    state.withLock { state in
      let settings = state.settings[face]
      var configuration = state.faces[face]?.clientConfiguration ?? .makeClientConfiguration()
      configuration.certificateVerification = settings.outgoingVerification(state.automatic)
      return configuration
    }
  }

  /// What a connection to the server port of another agent needs; nil while nothing says that it should be secured.
  public var rpcClientContext: NIOSSLContext? { state.withLock { $0.faces[.internalRPC]?.rpcClientContext } }

  /// Whether servers have to present a certificate of a trusted authority; connections in clear are ruled out then.
  public func verifiesOutgoing(_ face: Face) -> Bool { state.withLock { $0.settings[face].verifiesOutgoing } }

  /// Whether that certificate has to name a server.
  public func verifiesServerHostname(_ face: Face) -> Bool {
    state.withLock { state in
      state.settings[face].verifiesServerHostname || state.automatic?.verifiesServerHostname == true
    }
  }

  /// Whether the servers are still to give this agent the certificate that it needs.
  public var awaitsAutomaticCertificate: Bool {
    state.withLock { $0.automatic == nil && $0.settings.internalRPC.awaitsAutomaticCertificate }
  }

  /// The authorities of the files of internal RPC, in DER: what others need to verify this agent's certificate.
  public var manualAuthorities: [[UInt8]] {
    state.withLock { $0.faces[.internalRPC]?.ownAuthorities ?? [] }.compactMap { try? $0.toDERBytes() }
  }

  /// Whether connections to other agents and servers use TLS.
  public var usesTLSForRPC: Bool {
    state.withLock { state in
      let rpc = state.settings.internalRPC
      return state.automatic != nil || rpc.verifiesOutgoing || rpc.hasAuthority || rpc.awaitsAutomaticCertificate
    }
  }

  /// The name that the certificate of a server has to carry: `server.dc1.consul`.
  public func serverHostname(datacenter: String) -> String {
    let domain = state.withLock { $0.settings.domain }
    return "server.\(datacenter).\(domain.hasSuffix(".") ? String(domain.dropLast()) : domain)"
  }

  /// How health checks connect when the agent lends them its certificate: that of internal RPC.
  public var checkConfiguration: TLSConfiguration {
    var configuration = clientConfiguration(.internalRPC)
    configuration.certificateVerification = .fullVerification
    return configuration
  }
}
