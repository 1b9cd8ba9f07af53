import NIOSSL

/// What one face has: read from its files, or given to the agent.
struct FaceMaterial: Sendable {
  let serverContext: NIOSSLContext?
  /// The same for handshakes that come first; nil on faces that have none.
  let nativeContext: NIOSSLContext?
  /// The same for clients that have no certificate yet.
  let openContext: NIOSSLContext?
  let rpcClientContext: NIOSSLContext?
  private let certificate: CertificatePair?
  /// Those of the files alone.
  let ownAuthorities: [NIOSSLCertificate]
  private let authorities: [NIOSSLCertificate]?
  private let settings: TLSSettings

  init(
    _ face: TransportSecurity.Face, _ settings: TLSSettings, _ automatic: AutomaticCertificate?,
    clientAuthorities: [String]
  ) throws(TLSError) {
    self.settings = settings
    let own = try settings.loadAuthorities()
    ownAuthorities = own ?? []
    let given = try automatic?.loadAuthorities()
    authorities = own == nil && given == nil ? nil : (own ?? []) + (given ?? [])
    let mayUseAutomatic = face != .grpc || settings.usesAutomaticCertificate
    if let own = try settings.loadCertificate() {
      certificate = own
    } else {
      certificate = mayUseAutomatic ? try automatic?.loadCertificate() : nil
    }
    rpcClientContext = try Self.rpcClientContext(face, settings, authorities, certificate, automatic)
    guard let certificate else {
      serverContext = nil
      nativeContext = nil
      openContext = nil
      return
    }
    let trusted = (authorities ?? []) + (try AutomaticCertificate.load(clientAuthorities))
    func context(_ change: (inout TLSConfiguration) -> Void) throws(TLSError) -> NIOSSLContext {
      var configuration = Self.serverConfiguration(face, settings, certificate, trusted)
      change(&configuration)
      return try Self.context(face, configuration)
    }
    serverContext = try context { _ in }
    guard face == .internalRPC else {
      nativeContext = nil
      openContext = nil
      return
    }
    openContext = try context { $0.certificateVerification = .none }
    nativeContext =
      trusted.isEmpty || settings.nativeProtocols.isEmpty
      ? nil
      : try context {
        $0.certificateVerification = .noHostnameVerification
        $0.applicationProtocols = settings.nativeProtocols
      }
  }

  private static func serverConfiguration(
    _ face: TransportSecurity.Face, _ settings: TLSSettings, _ certificate: CertificatePair,
    _ trusted: [NIOSSLCertificate]
  ) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: certificate.chain.map { .certificate($0) }, privateKey: .privateKey(certificate.key))
    configuration.applicationProtocols = face.applicationProtocols
    // A client that does not say goodbye must not hold up the end of the agent.
    configuration.shutdownTimeout = .seconds(1)
    configuration.certificateVerification = settings.verifiesIncoming ? .noHostnameVerification : .none
    configuration.trustRoots = .certificates(trusted)
    // Browsers choose the certificate that they present by the authorities that a server names.
    configuration.sendCANameList = settings.verifiesIncoming
    settings.apply(to: &configuration)
    return configuration
  }

  /// Made once: every connection to another server needs it.
  private static func rpcClientContext(
    _ face: TransportSecurity.Face, _ settings: TLSSettings, _ authorities: [NIOSSLCertificate]?,
    _ certificate: CertificatePair?, _ automatic: AutomaticCertificate?
  ) throws(TLSError) -> NIOSSLContext? {
    let isWanted = authorities != nil || settings.verifiesOutgoing || settings.awaitsAutomaticCertificate
    guard face == .internalRPC, isWanted else { return nil }
    // Who asks for the first certificate may know no authority.
    let usesMachine = authorities == nil && settings.awaitsAutomaticCertificate && !settings.trustsFirstServer
    var configuration = clientConfiguration(settings, usesMachine ? nil : authorities ?? [], certificate)
    configuration.certificateVerification =
      authorities == nil && settings.trustsFirstServer ? .none : settings.outgoingVerification(automatic)
    configuration.shutdownTimeout = .seconds(1)
    return try context(face, configuration)
  }

  private static func context(
    _ face: TransportSecurity.Face, _ configuration: TLSConfiguration
  ) throws(TLSError) -> NIOSSLContext {
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch NIOSSLError.failedToLoadPrivateKey {
      // The key was read before: what fails is putting it beside the certificate.
      throw .certificate(.keyMismatch)
    } catch {
      throw .unusable(face: face, reason: "\(error)")
    }
  }

  var expiry: Int? { certificate?.chain.first.map { Int($0.notValidAfter) } }

  var clientConfiguration: TLSConfiguration { Self.clientConfiguration(settings, authorities, certificate) }

  private static func clientConfiguration(
    _ settings: TLSSettings, _ authorities: [NIOSSLCertificate]?, _ certificate: CertificatePair?
  ) -> TLSConfiguration {
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
