import Certificates
import Logging
import Model
import NIOCore
import Synchronization

/// The certificates of an agent's services: made when they are first asked for, with a key that never leaves the agent but to
/// its owner, and renewed before they end or when the cluster's authority gets another root.
///
///     reader ── LeafCertificates ──ConnectCA.Sign──▶ Backend
///                      └──────────ConnectCA.Roots──▶ (followed)
public final class LeafCertificates: Sendable {
  public struct Settings: Sendable {
    /// After a change of roots, certificates are renewed one after the other within this time.
    public var rootChangeSpread = TimeAmount.seconds(20)
    /// How long to wait after a renewal that failed.
    public var retryDelay = TimeAmount.seconds(10)
    /// Certificates that nobody asked for in this time are forgotten.
    public var lifetime = TimeAmount.hours(72)
    /// Certificates that are kept; a further one takes the place of the one that was asked for the longest time ago.
    public var countMax = 4096

    public init() {}
  }

  public typealias Completion = @Sendable (Result<Answer<IssuedCertificate>, ServerError>) -> Void

  private struct Key: Hashable {
    var service: String
    var token: String
  }

  private struct State {
    var entries: [Key: LeafEntry] = [:]
    var roots: CARoots?
    var rootsIndex: UInt64 = 0
    var following: (any PendingQuery)?
    var isFollowing = false
    var isStopped = false
  }

  private let backend: any Backend
  private let settings: Settings
  private let loop: any EventLoop
  private let logger: Logger
  private let state = Mutex(State())

  public init(
    backend: any Backend, on loop: any EventLoop, logger: Logger = Logger(label: "agent.leaf-certs"),
    settings: Settings = Settings()
  ) {
    self.backend = backend
    self.loop = loop
    self.logger = logger
    self.settings = settings
  }

  /// The certificate of a service with its key, once there is one whose index is above `minIndex` or the time is over.
  /// `completion` runs on `loop`.
  @discardableResult
  public func certificate(
    for service: String, token: String, minIndex: UInt64 = 0, maxTime: GoDuration = .zero, on loop: any EventLoop,
    _ completion: @escaping Completion
  ) -> (any PendingQuery)? {
    let key = Key(service: service, token: token)
    let (entry, forgotten) = state.withLock { state -> (LeafEntry?, LeafEntry?) in
      if state.isStopped { return (nil, nil) }
      if let known = state.entries[key] { return (known, nil) }
      var forgotten: LeafEntry?
      if state.entries.count >= settings.countMax,
        let oldest = state.entries.min(by: { $0.value.usedAt < $1.value.usedAt })
      {
        forgotten = state.entries.removeValue(forKey: oldest.key)
      }
      let new = LeafEntry(service: service, token: token, owner: self)
      state.entries[key] = new
      return (new, forgotten)
    }
    forgotten?.stop()
    guard let entry else {
      completion(.failure(.shuttingDown))
      return nil
    }
    let reader = LeafReader(minIndex: minIndex, on: loop, completion)
    let wait = BlockingTime.timeout(maxTime)
    if self.loop.inEventLoop {
      entry.read(reader, wait: wait)
    } else {
      self.loop.execute { entry.read(reader, wait: wait) }
    }
    return reader
  }

  /// Stops renewing.
  public func shutdown() {
    let (entries, following) = state.withLock { state in
      state.isStopped = true
      defer {
        state.entries = [:]
        state.following = nil
      }
      return (Array(state.entries.values), state.following)
    }
    following?.cancel()
    for entry in entries { entry.stop() }
  }

  // MARK: For entries

  fileprivate var timers: any EventLoop { loop }
  fileprivate var limits: Settings { settings }

  fileprivate func forget(_ entry: LeafEntry) {
    state.withLock { state in
      let key = Key(service: entry.service, token: entry.token)
      if state.entries[key] === entry { state.entries[key] = nil }
    }
  }

  /// Makes a key and has it certified.
  fileprivate func issue(
    _ service: String, token: String,
    _ completion: @escaping @Sendable (Result<(IssuedCertificate, rootID: String), ServerError>) -> Void
  ) {
    roots { [self] result in
      let roots: CARoots
      do throws(ServerError) {
        roots = try result.get()
      } catch {
        return completion(.failure(error))
      }
      let key: PrivateKey
      let request: SigningRequest
      do throws(CertificatesError) {
        key = try PrivateKey.generate(.p256)
        let identity = SPIFFEIdentity(
          trustDomain: roots.trustDomain,
          .service(namespace: "default", datacenter: backend.datacenter, name: service))
        request = try SigningRequest(
          subject: SubjectName([]), names: AlternativeNames(uris: [identity.uri]), key: key)
      } catch {
        return completion(.failure(.rejected("\(error)")))
      }
      backend.write(ConnectCASign(signingRequest: request.pem), datacenter: "", token: token, on: loop) { result in
        completion(
          result.map { issued in
            var issued = issued
            issued.privateKeyPEM = Secret(key.pem)
            return (issued, roots.activeID)
          })
      }
    }
  }

  // MARK: Roots

  /// The roots as they are known, or as the servers tell them when asked first. `completion` runs on the loop of timers.
  private func roots(_ completion: @escaping @Sendable (Result<CARoots, ServerError>) -> Void) {
    if let known = state.withLock({ $0.roots }) { return completion(.success(known)) }
    backend.query(ConnectCARoots(), QueryOptions(), on: loop) { [self] result in
      completion(
        result.flatMap { answer in
          guard !answer.value.activeID.isEmpty else { return .failure(.rejected("CA is not initialized yet")) }
          take(answer)
          return .success(answer.value)
        })
    }
  }

  private func take(_ answer: Answer<CARoots>) {
    let (entries, begins) = state.withLock { state in
      let isNew = state.roots.map { $0.activeID != answer.value.activeID } ?? false
      state.roots = answer.value
      state.rootsIndex = answer.index
      defer { state.isFollowing = true }
      return (isNew ? Array(state.entries.values) : [], !state.isFollowing && !state.isStopped)
    }
    for entry in entries { entry.rootChanged(to: answer.value.activeID) }
    if begins { follow() }
  }

  private func follow() {
    let index = state.withLock { $0.isStopped ? nil : $0.rootsIndex }
    guard let index else { return }
    var options = QueryOptions()
    options.minIndex = index
    options.consistency = .stale
    options.maxTime = BlockingTime.maximumWait
    let query = backend.query(ConnectCARoots(), options, on: loop) { [weak self] result in
      guard let self else { return }
      switch result {
      case .success(let answer):
        if !answer.value.activeID.isEmpty { take(answer) }
        // A state that was replaced may begin with a lower index.
        follow()
      case .failure: loop.scheduleTask(in: .seconds(1)) { [weak self] in self?.follow() }
      }
    }
    let isStopped = state.withLock { state in
      if !state.isStopped { state.following = query }
      return state.isStopped
    }
    if isStopped { query?.cancel() }
  }
}

/// One certificate, and who waits for it. Everything happens on the loop of timers.
private final class LeafEntry: @unchecked Sendable {
  // Sendable: what changes is used on the loop of timers only, but for `lastUse`, which is atomic.

  let service: String
  let token: String
  private weak let owner: LeafCertificates?
  private let lastUse = Atomic<UInt64>(NIODeadline.now().uptimeNanoseconds)
  private var issued: IssuedCertificate?
  private var rootID = ""
  private var isIssuing = false
  private var readers: [LeafReader] = []
  private var renewal: Scheduled<Void>?

  init(service: String, token: String, owner: LeafCertificates) {
    self.service = service
    self.token = token
    self.owner = owner
  }

  /// Monotonic nanoseconds.
  var usedAt: UInt64 { lastUse.load(ordering: .relaxed) }

  private var isValid: Bool { issued.map { $0.validBefore > WallClock.now() } ?? false }

  func read(_ reader: LeafReader, wait: TimeAmount) {
    lastUse.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed)
    guard let owner else { return reader.finish(.failure(.shuttingDown)) }
    if let issued, isValid, issued.modifyIndex > reader.minIndex { return reader.finish(issued) }
    readers.removeAll { $0.isOver }
    readers.append(reader)
    if isValid {
      owner.timers.scheduleTask(in: wait) { [weak self, weak reader] in
        guard let self, let reader else { return }
        readers.removeAll { $0 === reader }
        if let issued { reader.finish(issued) }
      }
    } else {
      issue()
    }
  }

  private func issue() {
    guard let owner, !isIssuing else { return }
    isIssuing = true
    owner.issue(service, token: token) { [weak self] result in self?.concluded(result) }
  }

  private func concluded(_ result: Result<(IssuedCertificate, rootID: String), ServerError>) {
    isIssuing = false
    guard let owner else { return }
    switch result {
    case .success(let new):
      (issued, rootID) = new
      schedule(in: Self.untilRenewal(new.0))
      let waiting = readers
      readers = []
      for reader in waiting { reader.finish(new.0) }
    case .failure(let error):
      if isValid { return schedule(in: owner.limits.retryDelay) }
      let waiting = readers
      readers = []
      for reader in waiting { reader.finish(.failure(error)) }
      owner.forget(self)
    }
  }

  /// Some time in the last part of its life, so that the certificates of many agents do not end together.
  private static func untilRenewal(_ issued: IssuedCertificate) -> TimeAmount {
    let lifetime = issued.validBefore.since(issued.validAfter).nanoseconds
    let age = WallClock.now().since(issued.validAfter).nanoseconds
    let share = Double(lifetime) * Double.random(in: 0.6...0.9)
    return .nanoseconds(max(Int64(share) &- age, 1_000_000_000))
  }

  private func schedule(in delay: TimeAmount) {
    renewal?.cancel()
    renewal = owner?.timers.scheduleTask(in: delay) { [weak self] in self?.renew() }
  }

  private func renew() {
    guard let owner else { return }
    let idle = NIODeadline.now().uptimeNanoseconds &- usedAt
    if idle > UInt64(owner.limits.lifetime.nanoseconds), readers.allSatisfy(\.isOver) { return owner.forget(self) }
    issue()
  }

  func rootChanged(to id: String) {
    guard let owner else { return }
    owner.timers.execute { [self] in
      guard issued != nil, rootID != id else { return }
      schedule(in: .nanoseconds(.random(in: 0...max(owner.limits.rootChangeSpread.nanoseconds, 1))))
    }
  }

  func stop() {
    owner?.timers.execute { [self] in
      renewal?.cancel()
      let waiting = readers
      readers = []
      for reader in waiting { reader.finish(.failure(.shuttingDown)) }
    }
  }
}

/// Somebody who waits for a certificate.
private final class LeafReader: PendingQuery {
  let minIndex: UInt64
  private let loop: any EventLoop
  private let completion: Mutex<LeafCertificates.Completion?>

  init(minIndex: UInt64, on loop: any EventLoop, _ completion: @escaping LeafCertificates.Completion) {
    self.minIndex = minIndex
    self.loop = loop
    self.completion = Mutex(completion)
  }

  var isOver: Bool { completion.withLock { $0 == nil } }

  func finish(_ issued: IssuedCertificate) { finish(.success(Answer(value: issued, index: issued.modifyIndex))) }

  func finish(_ result: Result<Answer<IssuedCertificate>, ServerError>) {
    let completion = completion.withLock { completion in
      defer { completion = nil }
      return completion
    }
    guard let completion else { return }
    if loop.inEventLoop { completion(result) } else { loop.execute { completion(result) } }
  }

  func cancel() { completion.withLock { $0 = nil } }
}
