/// Mutual exclusion: at most one process holds the key (the algorithm of Consul's leader election guide).
///
///     let lock = DistributedLock(client: client, key: "service/web/leader")
///     guard try await lock.acquire() else { return }
///     await withTaskGroup { … work, and stop when lock.waitUntilLost() returns … }
///     try await lock.release()
public actor DistributedLock: Exclusion {
  public nonisolated let key: String
  private let client: ConsulClient
  private let settings: ExclusionSettings

  private struct Holding {
    let session: SessionKeeper
    let monitor: Task<Void, Never>
  }
  private var holding: Holding?

  /// Marks a key as a lock of this kind, so that a semaphore is not taken for one.
  static let mark: UInt64 = 0x2ddc_cbc0_58a5_0c18

  public init(client: ConsulClient, key: String, settings: ExclusionSettings = ExclusionSettings()) {
    self.client = client
    self.key = key
    self.settings = settings
  }

  public func acquire() async throws -> Bool {
    guard holding == nil else { throw ClientError.lockState("Lock already held") }
    var terms = Sessions.Settings()
    terms.name = settings.sessionName
    terms.ttl = settings.sessionTTL
    let session = try await SessionKeeper(
      client: client, settings: terms, options: settings.options, pause: settings.pause)
    do {
      if try await win(session.id) {
        holding = Holding(session: session, monitor: monitor(session))
        return true
      }
    } catch {
      await endShielded(session)
      throw error
    }
    await session.end()
    return false
  }

  public func waitUntilLost() async {
    await holding?.monitor.end()
  }

  public func release() async throws {
    guard let holding else { throw ClientError.lockState("Lock not held") }
    self.holding = nil
    holding.monitor.cancel()
    let pair = KVPair(key: key, value: settings.value, flags: Self.mark)
    do {
      try await client.kv.put(pair, if: .release(session: holding.session.id), settings.options)
    } catch {
      await holding.session.end()
      throw error
    }
    await holding.session.end()
  }

  public func cleanUp() async throws -> Bool {
    guard holding == nil else { throw ClientError.lockState("Lock already held") }
    guard let pair = try await client.kv.get(key, settings.options).value else { return true }
    try Self.requireMark(pair)
    guard pair.session == nil else { return false }
    return try await client.kv.delete(key, if: .index(pair.modifyIndex), settings.options)
  }

  // MARK: - Steps

  /// Waits for the key to be free and takes it.
  /// - Returns: false if patience ran out.
  private func win(_ session: String) async throws -> Bool {
    let deadline = Deadline(settings)
    var index: UInt64 = 0
    while let wait = deadline.remaining(atMost: ExclusionSettings.queryWait) {
      var query = settings.options
      query.waitIndex = index
      query.waitTime = wait
      let answer = try await client.kv.get(key, query)
      index = answer.metadata.index
      if let pair = answer.value {
        try Self.requireMark(pair)
        if pair.session == session { return true }
        if pair.session != nil { continue }
      }
      let wanted = KVPair(key: key, value: settings.value, flags: Self.mark)
      if try await client.kv.put(wanted, if: .acquire(session: session), settings.options) { return true }
      // Somebody else was faster, or the key is still under a lock delay, which no query tells the end of.
      let current = try await client.kv.get(key, settings.options)
      if current.value?.session != nil {
        index = current.metadata.index
        continue
      }
      guard let pause = deadline.remaining(atMost: ExclusionSettings.delayPause) else { break }
      try await settings.pause(pause)
      index = 0
    }
    return false
  }

  /// Watches the key until another session, or none, holds it.
  private nonisolated func monitor(_ session: SessionKeeper) -> Task<Void, Never> {
    Monitoring.start(session: session, settings: settings) { [client, key] query in
      var query = query
      query.requireConsistent = true
      let answer = try await client.kv.get(key, query)
      return (answer.value?.session == session.id, answer.metadata.index)
    }
  }

  /// Ends a session although the task may have been cancelled, so that it does not linger.
  private func endShielded(_ session: SessionKeeper) async {
    await Task { await session.end() }.value
  }

  private static func requireMark(_ pair: KVPair) throws(ClientError) {
    guard pair.flags == mark else { throw .lockConflict("Existing key does not match lock use") }
  }
}

/// The watch over a place that is held.
enum Monitoring {
  /// - Parameter check: asks for the state with the given query; tells whether the place is still held, and the index.
  /// - Returns: a task that ends when the place is lost.
  static func start(
    session: SessionKeeper, settings: ExclusionSettings,
    check: @escaping @Sendable (QueryOptions) async throws -> (isHeld: Bool, index: UInt64)
  ) -> Task<Void, Never> {
    Task {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await session.waitUntilLost() }
        group.addTask { await watch(settings: settings, check: check) }
        await group.next()
        group.cancelAll()
      }
    }
  }

  private static func watch(
    settings: ExclusionSettings, check: (QueryOptions) async throws -> (isHeld: Bool, index: UInt64)
  ) async {
    var query = settings.options
    query.waitTime = ExclusionSettings.queryWait
    var failures = 0
    while !Task.isCancelled {
      do {
        let state = try await check(query)
        guard state.isHeld else { return }
        query.waitIndex = state.index
        failures = 0
      } catch {
        failures += 1
        guard (error as? ClientError)?.isServerError == true, failures <= settings.monitorRetries else { return }
        query.waitIndex = 0
        guard (try? await settings.pause(settings.monitorRetryPause)) != nil else { return }
      }
    }
  }
}

extension Task where Success == Void, Failure == Never {
  /// Returns when the task has ended, or when the caller is cancelled; the task itself goes on then.
  func end() async {
    let (ended, continuation) = AsyncStream<Never>.makeStream()
    let waiter = Task {
      await value
      continuation.finish()
    }
    for await _ in ended {}
    waiter.cancel()
  }
}
