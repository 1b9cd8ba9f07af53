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

  private struct State {
    var settings: AgentTLSSettings
    var automatic: AutomaticCertificate?
    var faces: [Face: FaceMaterial]
  }

  private let state: Mutex<State>

  /// - Throws: `TLSError` for a file that cannot be read, and for certificates and keys that do not go together.
  public init(_ settings: AgentTLSSettings) throws(TLSError) {
    state = Mutex(State(settings: settings, automatic: nil, faces: try Self.load(settings, nil)))
  }

  /// Reads all files again. After an error everything stays as it was.
  public func update(_ settings: AgentTLSSettings) throws(TLSError) {
    let automatic = state.withLock { $0.automatic }
    let faces = try Self.load(settings, automatic)
    state.withLock { state in
      state.settings = settings
      state.faces = faces
    }
  }

  /// Puts a certificate into force that the servers gave this agent, for faces that have none of their own files.
  public func setAutomaticCertificate(_ certificate: AutomaticCertificate?) throws(TLSError) {
    let faces = try Self.load(state.withLock { $0.settings }, certificate)
    state.withLock { state in
      state.automatic = certificate
      state.faces = faces
    }
  }

  private static func load(
    _ settings: AgentTLSSettings, _ automatic: AutomaticCertificate?
  ) throws(TLSError) -> [Face: FaceMaterial] {
    var faces: [Face: FaceMaterial] = [:]
    for face in Face.allCases { faces[face] = try FaceMaterial(face, settings[face], automatic) }
    return faces
  }

  // MARK: Servers

  /// What accepted connections of a face need; nil without a certificate.
  public func serverContext(_ face: Face) -> NIOSSLContext? { state.withLock { $0.faces[face]?.serverContext } }

  /// When the first of the agent's certificates ends, in seconds since 1970; nil without any.
  public var certificateExpiry: Int? {
    state.withLock { state in state.faces.values.compactMap(\.expiry).min() }
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
      configuration.certificateVerification =
        settings.verifiesServerHostname
        ? .fullVerification : settings.verifiesOutgoing ? .noHostnameVerification : .none
      return configuration
    }
  }

  /// Whether connections to other agents and servers use TLS.
  public var usesTLSForRPC: Bool {
    state.withLock { state in
      let rpc = state.settings.internalRPC
      return state.automatic != nil || rpc.verifiesOutgoing || rpc.hasAuthority
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

/// What one face has: read from its files, or given to the agent.
private struct FaceMaterial: Sendable {
  let serverContext: NIOSSLContext?
  private let certificate: CertificatePair?
  private let authorities: [NIOSSLCertificate]?
  private let settings: TLSSettings

  init(
    _ face: TransportSecurity.Face, _ settings: TLSSettings, _ automatic: AutomaticCertificate?
  ) throws(TLSError) {
    self.settings = settings
    let own = try settings.loadAuthorities()
    let given = try automatic?.loadAuthorities()
    authorities = own == nil && given == nil ? nil : (own ?? []) + (given ?? [])
    let mayUseAutomatic = face != .grpc || settings.usesAutomaticCertificate
    if let own = try settings.loadCertificate() {
      certificate = own
    } else {
      certificate = mayUseAutomatic ? try automatic?.loadCertificate() : nil
    }
    guard let certificate else {
      serverContext = nil
      return
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: certificate.chain.map { .certificate($0) }, privateKey: .privateKey(certificate.key))
    configuration.applicationProtocols = face.applicationProtocols
    // A client that does not say goodbye must not hold up the end of the agent.
    configuration.shutdownTimeout = .seconds(1)
    configuration.certificateVerification = settings.verifiesIncoming ? .noHostnameVerification : .none
    configuration.trustRoots = .certificates(authorities ?? [])
    // Browsers choose the certificate that they present by the authorities that a server names.
    configuration.sendCANameList = settings.verifiesIncoming
    settings.apply(to: &configuration)
    do {
      serverContext = try NIOSSLContext(configuration: configuration)
    } catch NIOSSLError.failedToLoadPrivateKey {
      // The key was read before: what fails is putting it beside the certificate.
      throw .certificate(.keyMismatch)
    } catch {
      throw .unusable(face: face, reason: "\(error)")
    }
  }

  var expiry: Int? { certificate?.chain.first.map { Int($0.notValidAfter) } }

  var clientConfiguration: TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    if let authorities { configuration.trustRoots = .certificates(authorities) }
    if let certificate {
      configuration.certificateChain = certificate.chain.map { .certificate($0) }
      configuration.privateKey = .privateKey(certificate.key)
    }
    settings.apply(to: &configuration)
    return configuration
  }
}
