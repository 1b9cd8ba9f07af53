import Model

/// At most `limit` processes hold a place at the same time (the algorithm of Consul's semaphore guide).
///
/// Each contender locks a key of its own, `prefix/<session>`; who holds a place stands in `prefix/.lock`, which is only
/// changed by check-and-set.
public actor DistributedSemaphore: Exclusion {
  public nonisolated let key: String
  private let prefix: String
  private let limit: Int
  private let client: ConsulClient
  private let settings: ExclusionSettings

  private struct Holding {
    let session: SessionKeeper
    let monitor: Task<Void, Never>
  }
  private var holding: Holding?

  /// Marks a key as part of a semaphore.
  static let mark: UInt64 = 0xe0f6_9a2b_aa41_4de0

  /// - Parameter limit: how many places there are, at least 1; all users of a prefix must agree on it.
  public init(client: ConsulClient, prefix: String, limit: Int, settings: ExclusionSettings = ExclusionSettings()) {
    var prefix = prefix
    while prefix.last == "/" { prefix.removeLast() }
    self.prefix = prefix
    self.limit = max(1, limit)
    self.client = client
    self.settings = settings
    key = prefix + "/.lock"
  }

  public func acquire() async throws -> Bool {
    guard holding == nil else { throw ClientError.lockState("Semaphore already held") }
    var terms = Sessions.Settings()
    terms.name = settings.sessionName
    terms.ttl = settings.sessionTTL
    // Contender keys of sessions that ended are of no use to anybody.
    terms.behavior = .delete
    let session = try await SessionKeeper(
      client: client, settings: terms, options: settings.options, pause: settings.pause)
    do {
      if try await win(session.id) {
        holding = Holding(session: session, monitor: monitor(session))
        return true
      }
    } catch {
      await Task { await self.withdraw(session) }.value
      throw error
    }
    await withdraw(session)
    return false
  }

  public func waitUntilLost() async {
    await holding?.monitor.end()
  }

  public func release() async throws {
    guard let holding else { throw ClientError.lockState("Semaphore not held") }
    self.holding = nil
    holding.monitor.cancel()
    do {
      try await leave(holding.session.id)
    } catch {
      await withdraw(holding.session)
      throw error
    }
    await withdraw(holding.session)
  }

  public func cleanUp() async throws -> Bool {
    guard holding == nil else { throw ClientError.lockState("Semaphore already held") }
    let pairs = try await client.kv.list(prefix: prefix + "/", settings.options).value
    guard let pair = pairs.first(where: { $0.key == key }) else { return true }
    let state = try SemaphoreState(pair, limit: limit).withoutAbsent(in: pairs)
    guard state.holders.isEmpty else { return false }
    return try await client.kv.delete(key, if: .index(pair.modifyIndex), settings.options)
  }

  // MARK: - Steps

  private func win(_ session: String) async throws -> Bool {
    let contender = KVPair(key: "\(prefix)/\(session)", value: settings.value, flags: Self.mark)
    guard try await client.kv.put(contender, if: .acquire(session: session), settings.options) else {
      throw ClientError.lockState("failed to make contender entry")
    }
    let deadline = Deadline(settings)
    var index: UInt64 = 0
    while let wait = deadline.remaining(atMost: ExclusionSettings.queryWait) {
      var query = settings.options
      query.waitIndex = index
      query.waitTime = wait
      let answer = try await client.kv.list(prefix: prefix + "/", query)
      let pair = answer.value.first { $0.key == key }
      var state = try SemaphoreState(pair, limit: limit).withoutAbsent(in: answer.value)
      index = answer.metadata.index
      guard state.holders.count < limit else { continue }
      state.holders.insert(session)
      // If others were faster, the index has moved on and the next query answers at once.
      if try await write(state, over: pair) { return true }
    }
    return false
  }

  /// Takes the session off the list of holders, however often others change the list meanwhile.
  private func leave(_ session: String) async throws {
    while let pair = try await client.kv.get(key, settings.options).value {
      var state = try SemaphoreState(pair, limit: limit)
      guard state.holders.remove(session) != nil else { return }
      if try await write(state, over: pair) { return }
    }
  }

  private func write(_ state: SemaphoreState, over pair: KVPair?) async throws -> Bool {
    try await client.kv.put(
      KVPair(key: key, value: state.encoded, flags: Self.mark), if: .index(pair?.modifyIndex ?? 0), settings.options)
  }

  /// Removes the contender's key and its session.
  private func withdraw(_ session: SessionKeeper) async {
    // The key goes away with the session as well; this only spares others the sight of it.
    _ = try? await client.kv.delete("\(prefix)/\(session.id)", settings.options)
    await session.end()
  }

  private nonisolated func monitor(_ session: SessionKeeper) -> Task<Void, Never> {
    Monitoring.start(session: session, settings: settings) { [client, prefix, key, limit] query in
      var query = query
      query.requireConsistent = true
      let answer = try await client.kv.list(prefix: prefix + "/", query)
      let pair = answer.value.first { $0.key == key }
      let state = try SemaphoreState(pair, limit: limit).withoutAbsent(in: answer.value)
      return (state.holders.contains(session.id), answer.metadata.index)
    }
  }
}

/// What stands in a semaphore's `.lock`.
struct SemaphoreState: Equatable {
  var limit: Int
  /// Sessions.
  var holders: Set<String>

  init(limit: Int, holders: Set<String> = []) {
    self.limit = limit
    self.holders = holders
  }

  /// - Parameter limit: what the caller believes; a key that says otherwise is a conflict.
  init(_ pair: KVPair?, limit: Int) throws(ClientError) {
    self.init(limit: limit)
    guard let pair else { return }
    guard pair.flags == DistributedSemaphore.mark else {
      throw .lockConflict("Existing key does not match semaphore use")
    }
    guard !pair.value.isEmpty else { return }
    guard let json = try? Dynamic(json: pair.value), let members = json["Holders"]?.object else {
      throw .malformedResponse("the semaphore's state at \(pair.key) is not readable")
    }
    guard json.integer("Limit") == limit else {
      throw .lockConflict("semaphore limit conflict (lock: \(json.integer("Limit")), local: \(limit))")
    }
    holders = Set(members.map(\.key))
  }

  var encoded: [UInt8] {
    let members = holders.sorted().map { (key: $0, value: Dynamic.bool(true)) }
    return (["Holders": .object(DynamicObject(members)), "Limit": .int(Int64(limit))] as Dynamic).body
  }

  /// Without the holders whose own key is gone or held by no session: they died without leaving.
  func withoutAbsent(in pairs: [KVPair]) -> SemaphoreState {
    let alive = Set(pairs.compactMap(\.session))
    return SemaphoreState(limit: limit, holders: holders.intersection(alive))
  }
}
