import Model

/// One entry of the key-value store.
public struct KVPair: Sendable, Equatable {
  public var key: String
  public var value: [UInt8]
  /// Free for the application's use.
  public var flags: UInt64
  public var createIndex: UInt64
  public var modifyIndex: UInt64
  /// How often the key was locked.
  public var lockIndex: UInt64
  /// The session that holds the key, or nil.
  public var session: String?

  public init(key: String, value: [UInt8] = [], flags: UInt64 = 0, session: String? = nil) {
    self.key = key
    self.value = value
    self.flags = flags
    self.session = session
    createIndex = 0
    modifyIndex = 0
    lockIndex = 0
  }

  init(_ json: Dynamic) {
    self.init(key: json.text("Key"), value: json.bytes("Value"), flags: json.number("Flags"))
    let holder = json.text("Session")
    session = holder.isEmpty ? nil : holder
    createIndex = json.number("CreateIndex")
    modifyIndex = json.number("ModifyIndex")
    lockIndex = json.number("LockIndex")
  }
}

/// `/v1/kv`
public struct KeyValueStore: Sendable {
  let client: ConsulClient

  /// The condition under which a write takes place.
  public enum Condition: Sendable, Equatable {
    case none
    /// Only if the key's `modifyIndex` is this; 0: only if the key does not exist.
    case index(UInt64)
    /// Only if no other session holds the key; the session then holds it.
    case acquire(session: String)
    /// Only if this session holds the key; then no session does.
    case release(session: String)
  }

  /// The entry of exactly that key, or nil.
  public func get(_ key: String, _ options: QueryOptions = QueryOptions()) async throws -> Answer<KVPair?> {
    let response = try await client.perform(request("GET", key, options), orStatus: 404)
    let pair = response.status == 404 ? nil : try response.list().first.map { KVPair($0) }
    return Answer(value: pair, metadata: response.metadata)
  }

  /// All entries whose keys start with `prefix`, in the order of their keys.
  public func list(
    prefix: String, _ options: QueryOptions = QueryOptions()
  ) async throws -> Answer<[KVPair]> {
    var request = request("GET", prefix, options)
    request.add("recurse")
    let response = try await client.perform(request, orStatus: 404)
    let pairs = response.status == 404 ? [] : try response.list().map { KVPair($0) }
    return Answer(value: pairs, metadata: response.metadata)
  }

  /// The keys that start with `prefix`, each only up to the first `separator` after the prefix.
  public func keys(
    prefix: String, separator: String = "", _ options: QueryOptions = QueryOptions()
  ) async throws -> Answer<[String]> {
    var request = request("GET", prefix, options)
    request.add("keys")
    if !separator.isEmpty { request.add("separator", separator) }
    let response = try await client.perform(request, orStatus: 404)
    return Answer(value: response.status == 404 ? [] : try response.texts(), metadata: response.metadata)
  }

  /// Writes `value` and `flags` under `key`.
  /// - Returns: whether the condition held, so that the entry was written.
  @discardableResult
  public func put(
    _ pair: KVPair, if condition: Condition = .none, _ options: QueryOptions = QueryOptions()
  ) async throws -> Bool {
    guard !pair.key.hasPrefix("/") else { throw ClientError.invalidKey(pair.key) }
    var request = request("PUT", pair.key, options, condition)
    request.body = pair.value
    if pair.flags != 0 { request.add("flags", String(pair.flags)) }
    return try await client.perform(request).isTrue
  }

  /// Removes the key, if it exists.
  /// - Returns: whether the condition held.
  @discardableResult
  public func delete(
    _ key: String, if condition: Condition = .none, _ options: QueryOptions = QueryOptions()
  ) async throws -> Bool {
    try await client.perform(request("DELETE", key, options, condition)).isTrue
  }

  /// Removes all keys that start with `prefix`.
  public func delete(prefix: String, _ options: QueryOptions = QueryOptions()) async throws {
    var request = request("DELETE", prefix, options)
    request.add("recurse")
    try await client.perform(request)
  }

  private func request(
    _ method: String, _ key: String, _ options: QueryOptions, _ condition: Condition = .none
  ) -> APIRequest {
    // The path ends the prefix with a slash; one at the start of the key would name another key.
    var request = APIRequest(method, "/v1/kv/" + key.drop { $0 == "/" }, options)
    switch condition {
    case .none: break
    case .index(let index): request.add("cas", String(index))
    case .acquire(let session): request.add("acquire", session)
    case .release(let session): request.add("release", session)
    }
    return request
  }
}

extension ConsulClient {
  public var kv: KeyValueStore { KeyValueStore(client: self) }
}
