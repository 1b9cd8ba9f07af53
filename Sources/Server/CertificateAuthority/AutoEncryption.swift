import Certificates
import Logging
import Model
import NIOCore
import TransportSecurity

/// Gets a client agent its certificate from the servers, and keeps it valid (`auto_encrypt.tls`, `auto_config`): the first one
/// over a connection without any, later ones over connections that the one before secures.
public final class AutoEncryption: @unchecked Sendable {
  // Sendable: what changes is used on `loop` only.

  /// What the certificate of an agent names.
  public struct Names: Sendable {
    public var datacenter: String
    public var node: String
    /// Besides `localhost` (`auto_encrypt.dns_san`, `auto_config.dns_sans`).
    public var dnsNames: [String] = []
    /// Besides those of loopback.
    public var addresses: [String] = []

    public init(datacenter: String, node: String) {
      self.datacenter = datacenter
      self.node = node
    }

    /// What a server is to sign, in PEM.
    ///
    /// - Parameter trustDomain: as far as the agent knows it.
    public func signingRequest(
      _ key: PrivateKey, trustDomain: String = SPIFFEIdentity.unknownTrustDomain
    ) throws(CertificatesError) -> String {
      let identity = SPIFFEIdentity(trustDomain: trustDomain, .agent(datacenter: datacenter, node: node))
      let names = AlternativeNames(
        dnsNames: ["localhost"] + dnsNames, addresses: ["127.0.0.1", "::1"] + addresses, uris: [identity.uri])
      return try SigningRequest(subject: SubjectName([]), names: names, key: key).pem
    }
  }

  public struct Settings: Sendable {
    public var names: Names
    /// `host:port` of servers that may be asked, as far as any are known.
    public var candidates: @Sendable () -> [String] = { [] }
    public var token: @Sendable () -> String = { "" }
    /// Asks a server (`host:port`) for the first certificate by a signing request.
    public var firstCertificate: @Sendable (_ request: String, _ server: String) async throws -> GivenCertificate
    /// Called with every certificate that was put into force; for keeping it.
    public var observe: @Sendable (GivenCertificate, PrivateKey) -> Void = { _, _ in }
    /// What log records begin with.
    public var feature = "auto_encrypt"
    /// The first pause after all of them failed; doubles up to `retryMax`.
    public var retryMin = TimeAmount.seconds(1)
    public var retryMax = TimeAmount.minutes(10)

    public init(
      _ names: Names,
      firstCertificate: @escaping @Sendable (_ request: String, _ server: String) async throws -> GivenCertificate
    ) {
      self.names = names
      self.firstCertificate = firstCertificate
    }
  }

  /// What the agent shows at present.
  private struct Held {
    var given: GivenCertificate
    var key: PrivateKey
  }

  private enum State {
    case idle
    case asking
    case held(Held)
    case stopped
  }

  private let settings: Settings
  private let backend: any Backend
  private let security: TransportSecurity
  private let loop: any EventLoop
  private let logger: Logger
  private var state = State.idle
  private var pause: TimeAmount
  private var timer: Scheduled<Void>?
  private var following: (any PendingQuery)?
  private var isRenewing = false

  public init(
    _ settings: Settings, backend: any Backend, security: TransportSecurity, on loop: any EventLoop, logger: Logger
  ) {
    self.settings = settings
    self.backend = backend
    self.security = security
    self.loop = loop
    self.logger = logger
    pause = settings.retryMin
  }

  public func start() { loop.execute { self.ask() } }

  /// Goes on with a certificate that the agent has already, however old it is.
  public func start(with given: GivenCertificate, _ key: PrivateKey) {
    loop.execute { [self] in
      if use(Held(given: given, key: key)) { follow() } else { ask() }
    }
  }

  public func stop() {
    loop.execute { [self] in
      state = .stopped
      timer?.cancel()
      following?.cancel()
    }
  }

  // MARK: The first certificate

  private func ask() {
    guard case .idle = state else { return }
    state = .asking
    do throws(CertificatesError) {
      let key = try PrivateKey.generate(.p256)
      let request = try settings.names.signingRequest(key)
      ask(settings.candidates().shuffled()[...], request, key)
    } catch {
      failed("\(error)")
    }
  }

  /// One server after the other, until one gives a certificate.
  private func ask(_ servers: ArraySlice<String>, _ request: String, _ key: PrivateKey) {
    guard case .asking = state else { return }
    guard let server = servers.first else { return failed("no server is known") }
    let settings = settings
    loop.makeFutureWithTask { try await settings.firstCertificate(request, server) }.whenComplete { [self] result in
      guard case .asking = state else { return }
      switch result {
      case .success(let given): take(given, key, from: server)
      case .failure(let error):
        logger.warning(
          "\(settings.feature): a server gave no certificate", metadata: ["server": "\(server)", "error": "\(error)"])
        if servers.count > 1 { ask(servers.dropFirst(), request, key) } else { failed(nil) }
      }
    }
  }

  private func failed(_ reason: String?) {
    if let reason { logger.warning("\(settings.feature): no certificate yet", metadata: ["error": "\(reason)"]) }
    if case .stopped = state { return }
    state = .idle
    let jitter = Double.random(in: 1...1.25)
    timer = loop.scheduleTask(in: .nanoseconds(Int64(Double(pause.nanoseconds) * jitter))) { [weak self] in self?.ask()
    }
    pause = .nanoseconds(min(pause.nanoseconds &* 2, settings.retryMax.nanoseconds))
  }

  private func take(_ given: GivenCertificate, _ key: PrivateKey, from server: String) {
    let held = Held(given: given, key: key)
    guard use(held) else { return failed(nil) }
    pause = settings.retryMin
    logger.info(
      "\(settings.feature): got a certificate",
      metadata: ["server": "\(server)", "until": "\(held.given.issued.validBefore)"])
    follow()
  }

  /// Puts a certificate into force.
  private func use(_ held: Held) -> Bool {
    do {
      try security.setAutomaticCertificate(
        AutomaticCertificate(
          chain: held.given.issued.certPEM, key: held.key.pem,
          authorities: held.given.roots.certificates + held.given.manualAuthorities,
          verifiesServerHostname: held.given.verifiesServerHostname))
    } catch {
      logger.error("\(settings.feature): the certificate cannot be used", metadata: ["error": "\(error)"])
      return false
    }
    state = .held(held)
    settings.observe(held.given, held.key)
    scheduleRenewal(held.given.issued)
    return true
  }

  // MARK: Later ones

  private func scheduleRenewal(_ issued: IssuedCertificate) {
    let lifetime = Double(issued.validBefore.since(issued.validAfter).nanoseconds)
    let age = Double(WallClock.now().since(issued.validAfter).nanoseconds)
    renew(in: .nanoseconds(Int64(max(lifetime * .random(in: 0.6...0.9) - age, 1_000_000_000))))
  }

  private func renew(in delay: TimeAmount) {
    timer?.cancel()
    timer = loop.scheduleTask(in: delay) { [weak self] in self?.renew() }
  }

  private func renew() {
    guard case .held(let held) = state, !isRenewing else { return }
    if WallClock.now().since(held.given.issued.validBefore) >= .seconds(10) {
      // Nobody accepts it any more: the way is that of the first one.
      following?.cancel()
      state = .idle
      return ask()
    }
    let (key, text): (PrivateKey, String)
    do throws(CertificatesError) {
      key = try PrivateKey.generate(.p256)
      text = try settings.names.signingRequest(key, trustDomain: held.given.roots.trustDomain)
    } catch {
      return renew(in: .seconds(10))
    }
    isRenewing = true
    backend.write(ConnectCASign(signingRequest: text), datacenter: "", token: settings.token(), on: loop) {
      [weak self] result in
      guard let self else { return }
      isRenewing = false
      guard case .held(var held) = state else { return }
      switch result {
      case .failure(let error):
        logger.warning("\(settings.feature): the certificate was not renewed", metadata: ["error": "\(error)"])
        renew(in: .seconds(.random(in: 5...15)))
      case .success(let issued):
        (held.given.issued, held.key) = (issued, key)
        if use(held) { logger.info("\(settings.feature): the certificate was renewed") }
      }
    }
  }

  /// New roots count for what others show; another active one has to sign this agent's certificate.
  private func follow() {
    guard case .held(let held) = state else { return }
    var options = QueryOptions()
    options.minIndex = max(held.given.rootsIndex, 1)
    options.consistency = .stale
    options.maxTime = BlockingTime.maximumWait
    options.token = settings.token()
    following = backend.query(ConnectCARoots(), options, on: loop) { [weak self] result in
      guard let self, case .held(var held) = state else { return }
      guard case .success(let answer) = result, !answer.value.activeID.isEmpty else {
        loop.scheduleTask(in: .seconds(5)) { [weak self] in self?.follow() }
        return
      }
      let before = held.given.roots
      held.given.rootsIndex = answer.index
      held.given.roots = answer.value
      if before.certificates != answer.value.certificates { _ = use(held) } else { state = .held(held) }
      if before.activeID != answer.value.activeID { renew(in: .milliseconds(.random(in: 0...20_000))) }
      follow()
    }
  }
}

/// A certificate that servers gave an agent, and what it needs to verify others.
public struct GivenCertificate: Sendable {
  public var issued: IssuedCertificate
  public var roots: CARoots
  public var rootsIndex: UInt64 = 0
  /// PEM; the authorities of the servers' own certificates.
  public var manualAuthorities: [String]
  /// Certificates of servers have to name one.
  public var verifiesServerHostname: Bool

  public init(_ reply: AutoEncryptReply) {
    issued = reply.issuedCert
    roots = reply.connectCARoots.value
    rootsIndex = reply.connectCARoots.meta.index
    manualAuthorities = reply.manualCARoots
    verifiesServerHostname = reply.verifyServerHostname
  }

  /// Nil for an answer without a certificate.
  public init?(_ response: AutoConfigResponse) {
    guard let certificate = response.certificate, !certificate.certPEM.isEmpty else { return nil }
    issued = certificate
    roots = response.caRoots.value
    manualAuthorities = response.extraCACertificates
    verifiesServerHostname = response.config.tls?.verifyServerHostname ?? false
  }
}

extension AutoConfigResponse {
  /// Puts a later certificate in the place of the one before.
  public mutating func take(_ given: GivenCertificate, _ key: PrivateKey) {
    var certificate = given.issued
    certificate.privateKeyPEM = Secret(key.pem)
    self.certificate = certificate
    caRoots = AutoConfigRoots(given.roots)
    extraCACertificates = given.manualAuthorities
  }
}
