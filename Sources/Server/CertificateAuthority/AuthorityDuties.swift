import Certificates
import Dispatch
import Logging
import Model
import NIOCore
import State
import Synchronization

/// What a leader does as the cluster's certificate authority: makes the first root, puts another one in its place when the
/// configuration asks for it, forgets roots that nothing depends on any more, and signs.
///
/// Roots change on a queue of its own, one change at a time, because each takes several commands; signatures do not wait for
/// that.
final class AuthorityDuties: Sendable {
  typealias Propose = @Sendable (Command, @escaping @Sendable (Result<CommandResult, ServerError>) -> Void) -> Void

  /// How often it is looked whether a root can be forgotten, and how soon a failed beginning is repeated.
  private static let pruneInterval = TimeAmount.minutes(10)
  private static let retryInterval = TimeAmount.seconds(1)

  private struct State {
    var isLeading = false
    var task: Scheduled<Void>?
    var signing: SigningMaterial?
    var limit: SigningLimit?
  }

  let settings: AuthoritySettings
  let datacenter: String
  private let store: StateStore
  private let loop: any EventLoop
  private let logger: Logger
  private let propose: Propose
  private let changes = DispatchQueue(label: "certificate-authority")
  /// RSA takes milliseconds of a processor per signature: not on an event loop.
  private let signatures = DispatchQueue(label: "certificate-signatures", attributes: .concurrent)
  private let state = Mutex(State())

  init(
    _ settings: AuthoritySettings, datacenter: String, store: StateStore, loop: any EventLoop, logger: Logger,
    propose: @escaping Propose
  ) {
    self.settings = settings
    self.datacenter = datacenter
    self.store = store
    self.loop = loop
    self.logger = logger
    self.propose = propose
  }

  func lead() {
    state.withLock { $0.isLeading = true }
    guard settings.isPrimary else { return }
    changes.async { self.begin() }
  }

  func follow() {
    state.withLock {
      $0.isLeading = false
      $0.task?.cancel()
      $0.task = nil
    }
  }

  private var isLeading: Bool { state.withLock { $0.isLeading } }

  private func schedule(in delay: TimeAmount) {
    state.withLock { state in
      guard state.isLeading else { return }
      state.task?.cancel()
      state.task = loop.scheduleTask(in: delay) { [weak self] in
        guard let self else { return }
        changes.async { self.begin() }
      }
    }
  }

  /// Sees to it that there is an active root, and only those beside it that something depends on.
  private func begin() {
    guard isLeading else { return }
    do throws(ServerError) {
      if store.current.activeCARoot == nil { try makeFirstRoot() } else { try prune() }
      schedule(in: Self.pruneInterval)
    } catch {
      guard isLeading else { return }
      logger.error("the certificate authority is not ready", metadata: ["error": "\(error)"])
      schedule(in: Self.retryInterval)
    }
  }

  private func makeFirstRoot() throws(ServerError) {
    if store.current.caConfiguration == nil {
      var request = CARequest(.setConfiguration)
      request.config = settings.initialConfiguration
      _ = try commit(request)
    }
    guard let configuration = store.current.caConfiguration else { throw .noLeader }
    try requireProvider(configuration)
    try install(configuration, options: try ProviderOptions(configuration.config))
    logger.info("initialized the certificate authority", metadata: ["provider": "consul"])
  }

  // MARK: Configuration

  /// Carries out a change of the configuration. `completion` runs on a thread of the authority.
  func configure(
    _ new: CAConfiguration, _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    changes.async {
      do throws(ServerError) {
        try self.configureNow(new)
        completion(.success(()))
      } catch {
        completion(.failure(error))
      }
    }
  }

  private func configureNow(_ wanted: CAConfiguration) throws(ServerError) {
    try requireProvider(wanted)
    let options = try ProviderOptions(wanted.config)
    guard let current = store.current.caConfiguration, let active = store.current.activeCARoot else {
      throw .rejected("CA is not initialized yet")
    }
    if wanted.provider == current.provider, wanted.config == current.config { return }
    var new = wanted
    new.clusterID = current.clusterID
    new.modifyIndex = current.modifyIndex
    let before = (try? ProviderOptions(current.config))?.providerID
    if options.providerID == before, store.current.caProviderState(options.providerID) != nil {
      var request = CARequest(.setConfiguration)
      request.config = new
      guard try commit(request) == .bool(true) else { throw Self.overtaken }
      return
    }
    try install(new, options: options, replacing: active, providerID: before)
  }

  private static let overtaken = ServerError.rejected("could not atomically update roots and config")

  private func requireProvider(_ configuration: CAConfiguration) throws(ServerError) {
    guard configuration.provider == "consul" else {
      throw .rejected("could not initialize provider: unknown CA provider \"\(configuration.provider)\"")
    }
  }

  /// Makes a root for a configuration and puts both into force.
  private func install(
    _ configuration: CAConfiguration, options: ProviderOptions, replacing old: CARoot? = nil,
    providerID oldID: String? = nil
  ) throws(ServerError) {
    var kept = CAProviderState()
    kept.id = options.providerID
    // Serial numbers begin above the index of this.
    if store.current.caProviderState(kept.id) == nil { try keep(kept) }
    let maker = RootMaker(clusterID: configuration.clusterID, options: options)
    let authority = try maker.make(serial: try nextSerial(), now: WallClock.now().unixSeconds)
    kept.privateKey = Secret(authority.key.pem)
    kept.rootCert = authority.certificate.pem
    try keep(kept)
    var introductions: [SignedCertificate] = []
    if old != nil, !configuration.forceWithoutCrossSigning {
      let signing = try signingMaterial()
      introductions.append(
        try maker.introduce(
          authority.certificate, by: signing.authority, serial: try nextSerial(), now: WallClock.now().unixSeconds))
    }
    var request = CARequest(.setRootsAndConfiguration)
    let roots = store.current.caRoots
    request.index = roots.index
    request.config = configuration
    request.roots = retired(roots.value) + [Row(maker.record(authority, intermediates: introductions))]
    guard try commit(request) == .bool(true) else { throw Self.overtaken }
    if let oldID, oldID != kept.id {
      var request = CARequest(.deleteProviderState)
      request.providerState = CAProviderState()
      request.providerState?.id = oldID
      _ = try commit(request)
    }
    if old != nil { logger.info("the certificate authority has a new root", metadata: ["id": "\(kept.id)"]) }
  }

  private func keep(_ kept: CAProviderState) throws(ServerError) {
    var request = CARequest(.setProviderState)
    request.providerState = kept
    _ = try commit(request)
  }

  private func retired(_ roots: [Row<CARoot>]) -> [Row<CARoot>] {
    roots.map { row in
      var root = row.value
      if root.active {
        root.active = false
        root.rotatedOutAt = WallClock.now()
      }
      return Row(root)
    }
  }

  /// Forgets roots that were replaced so long ago that every certificate below them has ended.
  private func prune() throws(ServerError) {
    guard let configuration = store.current.caConfiguration else { return }
    let lifetime = (try? ProviderOptions(configuration.config))?.leafLifetime ?? .hours(72)
    let roots = store.current.caRoots
    let now = WallClock.now()
    let left = roots.value.filter { row in
      row.value.active || row.value.rotatedOutAt.isUnset
        || now.since(row.value.rotatedOutAt).nanoseconds / 2 < lifetime.nanoseconds
    }
    guard left.count < roots.value.count else { return }
    var request = CARequest(.setRoots)
    request.index = roots.index
    request.roots = left
    _ = try commit(request)
  }

  // MARK: Commands

  private func nextSerial() throws(ServerError) -> UInt64 {
    guard case .number(let serial) = try commit(CARequest(.incrementSerial)) else {
      throw .rejected("error computing next serial number")
    }
    return serial
  }

  /// Waits for a command of the authority; for the queue of changes only.
  private func commit(_ request: CARequest) throws(ServerError) -> CommandResult {
    let outcome = Mutex<Result<CommandResult, ServerError>>(.failure(.shuttingDown))
    let done = DispatchSemaphore(value: 0)
    propose(.certificateAuthority(request)) { result in
      outcome.withLock { $0 = result }
      done.signal()
    }
    done.wait()
    let result = try outcome.withLock { $0 }.get()
    if case .failed(let text) = result { throw .rejected(text) }
    return result
  }

  // MARK: Signing

  /// The active root with its key.
  private func signingMaterial() throws(ServerError) -> SigningMaterial {
    let current = store.current
    guard let root = current.activeCARoot, let configuration = current.caConfiguration else {
      throw .rejected("CA is not initialized yet")
    }
    if let known = state.withLock({ $0.signing }), known.rootID == root.id, known.index == configuration.modifyIndex {
      return known
    }
    let options = try ProviderOptions(configuration.config)
    guard let kept = current.caProviderState(options.providerID), !kept.privateKey.isEmpty else {
      throw .rejected("the certificate authority's key is not known")
    }
    do throws(CertificatesError) {
      let authority = try CertificateAuthority(
        try SignedCertificate(pem: root.rootCert), key: try PrivateKey(pem: kept.privateKey.revealed))
      let material = SigningMaterial(
        rootID: root.id, index: configuration.modifyIndex, authority: authority, options: options,
        trustDomain: "\(configuration.clusterID).consul", chain: root.intermediateCerts)
      state.withLock { state in
        state.signing = material
        if state.limit?.options != options { state.limit = SigningLimit(options) }
      }
      return material
    } catch {
      throw .rejected("the certificate authority cannot be used: \(error)")
    }
  }

  /// Certifies what a request asks for. `completion` runs on any thread.
  ///
  /// - Parameter require: holds what is asked for against the rights of the one who asks.
  func sign(
    _ request: LeafRequest, _ completion: @escaping @Sendable (Result<IssuedCertificate, ServerError>) -> Void
  ) {
    let material: SigningMaterial
    do throws(ServerError) {
      material = try signingMaterial()
      try request.check(trustDomain: material.trustDomain, datacenter: datacenter)
    } catch {
      return completion(.failure(error))
    }
    guard state.withLock({ $0.limit?.enter(now: MonotonicClock.now()) ?? true }) else {
      return completion(.failure(.signingLimit))
    }
    let completion: @Sendable (Result<IssuedCertificate, ServerError>) -> Void = { [self] result in
      state.withLock { $0.limit?.leave() }
      completion(result)
    }
    propose(.certificateAuthority(CARequest(.incrementSerial))) { [self] result in
      switch result {
      case .failure(let error): completion(.failure(error))
      case .success(.number(let serial)):
        signatures.async { self.finish(request, material, serial: serial, completion) }
      case .success: completion(.failure(.rejected("error computing next serial number")))
      }
    }
  }

  private func finish(
    _ request: LeafRequest, _ material: SigningMaterial, serial: UInt64,
    _ completion: @escaping @Sendable (Result<IssuedCertificate, ServerError>) -> Void
  ) {
    let issued: IssuedCertificate
    do throws(CertificatesError) {
      let certificate = try request.sign(
        material.authority, trustDomain: material.trustDomain, lifetime: material.options.leafLifetime, serial: serial,
        now: WallClock.now().unixSeconds)
      issued = request.answer(certificate, chain: material.chain, trustDomain: material.trustDomain)
    } catch {
      return completion(.failure(.rejected("\(error)")))
    }
    propose(.leafIndex(CALeafRequest(datacenter: datacenter))) { result in
      completion(
        result.map { applied in
          var issued = issued
          if case .number(let index) = applied { (issued.createIndex, issued.modifyIndex) = (index, index) }
          return issued
        })
    }
  }
}

/// What signatures are made with.
private struct SigningMaterial: Sendable {
  var rootID: String
  /// Of the configuration.
  var index: UInt64
  var authority: CertificateAuthority
  var options: ProviderOptions
  var trustDomain: String
  /// PEM, to stand behind a certificate.
  var chain: [String]
}

/// How many requests are signed, so that all agents together, after a change of roots, leave the leader time for the rest.
private struct SigningLimit: Sendable {
  let options: ProviderOptions
  private var bucket: TokenBucket
  private var underWay = 0

  init(_ options: ProviderOptions) {
    self.options = options
    bucket = TokenBucket(rate: options.requestsPerSecond, burst: nil, now: MonotonicClock.now())
  }

  mutating func enter(now: UInt64) -> Bool {
    if options.requestsAtATime > 0 {
      guard underWay < options.requestsAtATime else { return false }
    } else if options.requestsPerSecond > 0, !bucket.take(now: now) {
      return false
    }
    underWay += 1
    return true
  }

  mutating func leave() { underWay = max(underWay - 1, 0) }
}
