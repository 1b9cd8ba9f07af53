import Certificates
import Logging
import Model
import NIOCore
import TransportSecurity

/// Gets a client agent its certificate from the servers, and keeps it valid (`auto_encrypt.tls`): the first one over a
/// connection without any, later ones over connections that the one before secures.
public final class AutoEncryption: @unchecked Sendable {
  // Sendable: what changes is used on `loop` only.

  public struct Settings: Sendable {
    public var datacenter: String
    public var nodeName: String
    /// Further names of the agent (`auto_encrypt.dns_san`, `auto_encrypt.ip_san`).
    public var dnsNames: [String] = []
    public var addresses: [String] = []
    /// `host:port` of servers that may be asked, as far as any are known.
    public var candidates: @Sendable () -> [String] = { [] }
    public var token: @Sendable () -> String = { "" }
    /// The first pause after all of them failed; doubles up to `retryMax`.
    public var retryMin = TimeAmount.seconds(1)
    public var retryMax = TimeAmount.minutes(10)

    public init(datacenter: String, nodeName: String) {
      self.datacenter = datacenter
      self.nodeName = nodeName
    }
  }

  /// What the agent shows at present.
  private struct Held {
    var issued: IssuedCertificate
    var key: PrivateKey
    var roots: CARoots
    var rootsIndex: UInt64
    var manualAuthorities: [String]
    var verifiesServerHostname: Bool
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
  private let call: StrangerCall
  private let loop: any EventLoop
  private let logger: Logger
  private var state = State.idle
  private var pause: TimeAmount
  private var timer: Scheduled<Void>?
  private var following: (any PendingQuery)?
  private var isRenewing = false

  public init(
    _ settings: Settings, backend: any Backend, security: TransportSecurity, call: StrangerCall, on loop: any EventLoop,
    logger: Logger
  ) {
    self.settings = settings
    self.backend = backend
    self.security = security
    self.call = call
    self.loop = loop
    self.logger = logger
    pause = settings.retryMin
  }

  public func start() { loop.execute { self.ask() } }

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
      let request = try request(key, trustDomain: SPIFFEIdentity.unknownTrustDomain)
      ask(settings.candidates().shuffled()[...], request, key)
    } catch {
      failed("\(error)")
    }
  }

  private func request(_ key: PrivateKey, trustDomain: String) throws(CertificatesError) -> String {
    let identity = SPIFFEIdentity(
      trustDomain: trustDomain, .agent(datacenter: settings.datacenter, node: settings.nodeName))
    let names = AlternativeNames(
      dnsNames: ["localhost"] + settings.dnsNames, addresses: ["127.0.0.1", "::1"] + settings.addresses,
      uris: [identity.uri])
    return try SigningRequest(subject: SubjectName([]), names: names, key: key).pem
  }

  /// One server after the other, until one gives a certificate.
  private func ask(_ servers: ArraySlice<String>, _ request: String, _ key: PrivateKey) {
    guard case .asking = state else { return }
    guard let server = servers.first else { return failed("no server is known") }
    let (settings, call) = (settings, call)
    loop.makeFutureWithTask {
      try await call.autoEncrypt(
        signingRequest: request, datacenter: settings.datacenter, token: settings.token(), at: server)
    }.whenComplete { [self] result in
      guard case .asking = state else { return }
      switch result {
      case .success(let reply): take(reply, key, from: server)
      case .failure(let error):
        logger.warning(
          "auto_encrypt: a server gave no certificate", metadata: ["server": "\(server)", "error": "\(error)"])
        if servers.count > 1 { ask(servers.dropFirst(), request, key) } else { failed(nil) }
      }
    }
  }

  private func failed(_ reason: String?) {
    if let reason { logger.warning("auto_encrypt: no certificate yet", metadata: ["error": "\(reason)"]) }
    if case .stopped = state { return }
    state = .idle
    let jitter = Double.random(in: 1...1.25)
    timer = loop.scheduleTask(in: .nanoseconds(Int64(Double(pause.nanoseconds) * jitter))) { [weak self] in self?.ask()
    }
    pause = .nanoseconds(min(pause.nanoseconds &* 2, settings.retryMax.nanoseconds))
  }

  private func take(_ reply: AutoEncryptReply, _ key: PrivateKey, from server: String) {
    let held = Held(
      issued: reply.issuedCert, key: key, roots: reply.connectCARoots.value,
      rootsIndex: reply.connectCARoots.meta.index,
      manualAuthorities: reply.manualCARoots, verifiesServerHostname: reply.verifyServerHostname)
    guard use(held) else { return failed(nil) }
    pause = settings.retryMin
    logger.info(
      "auto_encrypt: got a certificate",
      metadata: ["server": "\(server)", "until": "\(held.issued.validBefore)"])
    follow()
  }

  /// Puts a certificate into force.
  private func use(_ held: Held) -> Bool {
    do {
      try security.setAutomaticCertificate(
        AutomaticCertificate(
          chain: held.issued.certPEM, key: held.key.pem, authorities: held.roots.certificates + held.manualAuthorities,
          verifiesServerHostname: held.verifiesServerHostname))
    } catch {
      logger.error("auto_encrypt: the certificate cannot be used", metadata: ["error": "\(error)"])
      return false
    }
    state = .held(held)
    scheduleRenewal(held.issued)
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
    if WallClock.now().since(held.issued.validBefore) >= .seconds(10) {
      // Nobody accepts it any more: the way is that of the first one.
      state = .idle
      return ask()
    }
    let (key, text): (PrivateKey, String)
    do throws(CertificatesError) {
      key = try PrivateKey.generate(.p256)
      text = try request(key, trustDomain: held.roots.trustDomain)
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
        logger.warning("auto_encrypt: the certificate was not renewed", metadata: ["error": "\(error)"])
        renew(in: .seconds(.random(in: 5...15)))
      case .success(let issued):
        (held.issued, held.key) = (issued, key)
        if use(held) { logger.info("auto_encrypt: the certificate was renewed") }
      }
    }
  }

  /// New roots count for what others show; another active one has to sign this agent's certificate.
  private func follow() {
    guard case .held(let held) = state else { return }
    var options = QueryOptions()
    options.minIndex = max(held.rootsIndex, 1)
    options.consistency = .stale
    options.maxTime = BlockingTime.maximumWait
    options.token = settings.token()
    following = backend.query(ConnectCARoots(), options, on: loop) { [weak self] result in
      guard let self, case .held(var held) = state else { return }
      guard case .success(let answer) = result, !answer.value.activeID.isEmpty else {
        loop.scheduleTask(in: .seconds(5)) { [weak self] in self?.follow() }
        return
      }
      let before = held.roots
      held.rootsIndex = answer.index
      held.roots = answer.value
      if before.certificates != answer.value.certificates { _ = use(held) } else { state = .held(held) }
      if before.activeID != answer.value.activeID { renew(in: .milliseconds(.random(in: 0...20_000))) }
      follow()
    }
  }
}
