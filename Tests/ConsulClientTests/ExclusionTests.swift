import Model
import Synchronization
import Testing

@testable import ConsulClient

struct ExclusionTests {
  /// Settings under which time passes only when somebody pauses.
  private func settings(patience: Duration? = nil, retries: Int = 0) -> ExclusionSettings {
    let clock = ManualClock()
    var settings = ExclusionSettings()
    settings.patience = patience
    settings.monitorRetries = retries
    settings.now = { clock.now }
    settings.pause = { try await clock.pause($0) }
    return settings
  }

  @Test("A free key is taken, marked, given back and removed")
  func cycle() async throws {
    let store = FakeStore()
    let lock = DistributedLock(client: ConsulClient(store), key: "a/.lock", settings: settings())
    #expect(try await lock.acquire())
    let held = store.state.withLock { $0.pairs["a/.lock"] }
    #expect(held?.session == "session-1")
    #expect(held?.flags == 3_304_740_253_564_472_344)
    try await lock.release()
    #expect(store.state.withLock { $0.pairs["a/.lock"]?.session } == nil)
    #expect(store.state.withLock { $0.sessions }.isEmpty)
    #expect(try await lock.cleanUp())
    #expect(store.state.withLock { $0.pairs }.isEmpty)
  }

  @Test("Whoever waits gets the key when it is given back")
  func handOver() async throws {
    let store = FakeStore()
    let first = DistributedLock(client: ConsulClient(store), key: "k", settings: settings())
    let second = DistributedLock(client: ConsulClient(store), key: "k", settings: settings())
    #expect(try await first.acquire())
    async let other = second.acquire()
    try await first.release()
    #expect(try await other)
    #expect(try await first.cleanUp() == false)
    try await second.release()
  }

  @Test("Patience ends while the key is under a lock delay")
  func patience() async throws {
    let store = FakeStore()
    // Held by nobody, and yet refused: as after a holder's session was invalidated.
    let transport = RecordingTransport { request in
      if request.path.contains("/session/create") { return .json(#"{"ID":"s"}"#) }
      if request.path.contains("/session/") { return .json("true") }
      return request.method == "GET" ? .json("[]", status: 404, index: 1) : .json("false")
    }
    let lock = DistributedLock(
      client: ConsulClient(transport), key: "k", settings: settings(patience: .seconds(12)))
    #expect(try await lock.acquire() == false)
    #expect(transport.sent.filter { $0.path.contains("acquire") }.count == 3)
    #expect(transport.sent.last?.path == "/v1/session/destroy/s")
    _ = store
  }

  @Test("A holder learns that its key was taken away")
  func loss() async throws {
    let store = FakeStore()
    let lock = DistributedLock(client: ConsulClient(store), key: "k", settings: settings())
    #expect(try await lock.acquire())
    store.change { $0.pairs["k"] = nil }
    await lock.waitUntilLost()
    try await lock.release()
  }

  @Test("A holder learns that its session is gone")
  func sessionLoss() async throws {
    let store = FakeStore()
    let lock = DistributedLock(client: ConsulClient(store), key: "k", settings: settings())
    #expect(try await lock.acquire())
    store.change {
      $0.sessions = [:]
      $0.pairs["k"]?.session = nil
    }
    await lock.waitUntilLost()
  }

  @Test("Server errors are passed over as often as told", arguments: [(2, 2, false), (3, 2, true)])
  func monitorRetries(failures: Int, retries: Int, isLost: Bool) async throws {
    let store = FakeStore()
    let lock = DistributedLock(client: ConsulClient(store), key: "k", settings: settings(retries: retries))
    #expect(try await lock.acquire())
    store.change { $0.failures = Array(repeating: .json("no leader", status: 500), count: failures) }
    if isLost {
      await lock.waitUntilLost()
    } else {
      while !store.state.withLock({ $0.failures.isEmpty }) { await Task.yield() }
      #expect(store.state.withLock { $0.pairs["k"]?.session } != nil)
    }
    try await lock.release()
  }

  @Test("Waiting for a loss ends with the task that waits")
  func cancelledWait() async throws {
    let store = FakeStore()
    let lock = DistributedLock(client: ConsulClient(store), key: "k", settings: settings())
    #expect(try await lock.acquire())
    let waiter = Task { await lock.waitUntilLost() }
    waiter.cancel()
    await waiter.value
    try await lock.release()
  }

  @Test("A key with another mark is a conflict, and no session stays behind")
  func conflict() async {
    let store = FakeStore()
    store.change { $0.pairs["k"] = KVPair(key: "k", value: [1], flags: 7) }
    let lock = DistributedLock(client: ConsulClient(store), key: "k", settings: settings())
    await #expect(throws: ClientError.lockConflict("Existing key does not match lock use")) { try await lock.acquire() }
    #expect(store.state.withLock { $0.sessions }.isEmpty)
  }

  @Test("Use out of order is refused")
  func order() async throws {
    let lock = DistributedLock(client: ConsulClient(FakeStore()), key: "k", settings: settings())
    await #expect(throws: ClientError.lockState("Lock not held")) { try await lock.release() }
    #expect(try await lock.acquire())
    await #expect(throws: ClientError.lockState("Lock already held")) { try await lock.acquire() }
    try await lock.release()
  }

  @Test("A semaphore admits as many as its limit, and the next one when a place is free")
  func semaphore() async throws {
    let store = FakeStore()
    func contender() -> DistributedSemaphore {
      DistributedSemaphore(client: ConsulClient(store), prefix: "s/", limit: 2, settings: settings())
    }
    let (first, second, third) = (contender(), contender(), contender())
    #expect(try await first.acquire())
    #expect(try await second.acquire())
    async let other = third.acquire()
    try await first.release()
    #expect(try await other)
    #expect(try await first.cleanUp() == false)
    try await second.release()
    try await third.release()
    #expect(try await third.cleanUp())
    #expect(store.state.withLock { $0.pairs }.isEmpty)
  }

  @Test("A place of a holder that died is free")
  func deadHolder() async throws {
    let store = FakeStore()
    store.change {
      $0.pairs["s/.lock"] = KVPair(
        key: "s/.lock", value: SemaphoreState(limit: 1, holders: ["dead"]).encoded, flags: DistributedSemaphore.mark)
    }
    let semaphore = DistributedSemaphore(client: ConsulClient(store), prefix: "s", limit: 1, settings: settings())
    #expect(try await semaphore.acquire())
    try await semaphore.release()
  }

  @Test("A semaphore with another limit, or a lock, is a conflict")
  func semaphoreConflicts() async {
    for pair in [
      KVPair(key: "s/.lock", value: SemaphoreState(limit: 3).encoded, flags: DistributedSemaphore.mark),
      KVPair(key: "s/.lock", flags: DistributedLock.mark),
    ] {
      let store = FakeStore()
      store.change { $0.pairs["s/.lock"] = pair }
      let semaphore = DistributedSemaphore(client: ConsulClient(store), prefix: "s", limit: 2, settings: settings())
      await #expect(throws: ClientError.self) { try await semaphore.acquire() }
      #expect(store.state.withLock { $0.sessions }.isEmpty)
    }
  }

  @Test("A semaphore's state survives its text form", arguments: [1, 2, 3] as [UInt64])
  func stateRoundTrip(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let limit = Int.random(in: 1...9, using: &generator)
      let holders = Set((0..<Int.random(in: 0...9, using: &generator)).map { _ in "\(generator.next())" })
      let state = SemaphoreState(limit: limit, holders: holders)
      let pair = KVPair(key: "k", value: state.encoded, flags: DistributedSemaphore.mark)
      #expect(try SemaphoreState(pair, limit: limit) == state, "seed \(seed)")
      var damaged = pair
      damaged.value[Int.random(in: 0..<pair.value.count, using: &generator)] = UInt8.random(
        in: 0...255, using: &generator)
      _ = try? SemaphoreState(damaged, limit: limit)
    }
  }
}

/// Time that passes only in pauses. A pause that renews a session has no end until it is cancelled.
private final class ManualClock: Sendable {
  private let elapsed = Mutex(Duration.zero)

  var now: Duration { elapsed.withLock { $0 } }

  func pause(_ duration: Duration) async throws {
    if duration == .milliseconds(7500) {
      let (forever, continuation) = AsyncStream<Never>.makeStream()
      for await _ in forever {}
      continuation.finish()
    }
    try Task.checkCancellation()
    elapsed.withLock { $0 += duration }
  }
}
