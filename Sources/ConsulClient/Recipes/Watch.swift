import Model

/// A view of the cluster's state that is followed: key, keyprefix, services, nodes, service, checks or event; or of what the
/// agent itself knows: agent_service, connect_roots or connect_leaf.
///
/// Agents run the watches of their configuration with it, `consul watch` the one of its flags.
public struct Watch: Sendable {
  /// What the view shows.
  public enum View: Sendable, Equatable {
    case key(String)
    case keyPrefix(String)
    case services
    case nodes
    case service(String, tags: [String], passingOnly: Bool)
    /// Checks of a service, or those in a state (`any` for all).
    case checks(service: String?, state: String)
    /// Events of that name; nil for all.
    case event(name: String?)
    /// A service that is registered with the agent, by its id.
    case agentService(String)
    /// The certificates that the mesh trusts.
    case connectRoots
    /// The certificate of a service.
    case connectLeaf(String)
  }

  /// A state of the view.
  public struct Update: Sendable, Equatable {
    /// Passed to handlers as `CONSUL_INDEX`.
    public var index: UInt64
    /// Compact JSON, without a line break.
    public var json: [UInt8]
    /// Instead of an index, for what the agent itself knows. Passed to handlers as `CONSUL_HASH`.
    public var hash: String?

    public init(index: UInt64, json: [UInt8], hash: String? = nil) {
      self.index = index
      self.json = json
      self.hash = hash
    }
  }

  public let view: View
  public var options: QueryOptions

  public init(_ view: View, options: QueryOptions = QueryOptions()) {
    self.view = view
    self.options = options
  }

  /// How long one query waits for a change.
  static let queryWait = Duration.seconds(300)
  /// The pause after the first failure; it grows with the square of the number of failures in a row.
  static let retryPause = Duration.seconds(5)
  static let retryPauseMax = Duration.seconds(180)

  /// Follows the view: reports its present state and then each other one. Ends only by throwing: what `onUpdate` throws,
  /// or `CancellationError`.
  ///
  /// - Parameters:
  ///   - onUpdate: receives each state; the next one is asked for when it returns.
  ///   - onFailure: receives what went wrong and the pause before the next attempt.
  ///   - pause: how time passes.
  public func follow(
    _ client: ConsulClient, pause: Pause = { try await Task.sleep(for: $0) },
    onFailure: (any Error, Duration) async -> Void = { _, _ in }, onUpdate: (Update) async throws -> Void
  ) async throws -> Never {
    var last: Update?
    var failures = 0
    while true {
      try Task.checkCancellation()
      let update: Update
      do {
        update = try await query(client, after: last?.index ?? 0, hash: last?.hash)
        failures = 0
      } catch let error as CancellationError {
        throw error
      } catch {
        failures += 1
        let wait = min(Self.retryPause * (failures * failures), Self.retryPauseMax)
        await onFailure(error, wait)
        try await pause(wait)
        continue
      }
      defer { last = update }
      // Without an index there is nothing to wait for: ask again at a bearable pace.
      if update.index == 0, update.hash == nil, last != nil { try await pause(Self.retryPause) }
      // A query also ends when its time has passed, or for changes that the view does not show.
      if let last, last.json == update.json, !isEvent || last.index == update.index { continue }
      // An agent that was restarted knows no events: nothing has happened.
      if isEvent, last != nil, update.json == Array("[]".utf8) { continue }
      try await onUpdate(update)
    }
  }

  /// The present state of the view, or the next one after the one with `index` or `hash`.
  public func query(_ client: ConsulClient, after index: UInt64 = 0, hash: String? = nil) async throws -> Update {
    let request = request(after: index, hash: hash)
    let response = try await client.perform(request, orStatus: 404)
    var next = response.metadata.index
    // An index that goes back means that the servers' state was replaced: start over.
    if next < index && !isEvent { next = 0 }
    return Update(index: next, json: try render(response, after: index), hash: response.metadata.contentHash)
  }

  private var isEvent: Bool {
    if case .event = view { true } else { false }
  }

  private func request(after index: UInt64, hash: String?) -> APIRequest {
    var query = options
    query.waitIndex = index
    query.waitHash = hash
    query.waitTime = index > 0 || hash != nil ? Self.queryWait : nil
    func request(_ path: String) -> APIRequest { APIRequest("GET", path, query) }
    var sent: APIRequest
    switch view {
    case .key(let key): sent = request("/v1/kv/" + key.drop { $0 == "/" })
    case .keyPrefix(let prefix):
      sent = request("/v1/kv/" + prefix.drop { $0 == "/" })
      sent.add("recurse")
    case .services: sent = request("/v1/catalog/services")
    case .nodes: sent = request("/v1/catalog/nodes")
    case .service(let name, let tags, let passingOnly):
      sent = request("/v1/health/service/" + name)
      for tag in tags { sent.add("tag", tag) }
      if passingOnly { sent.add("passing", "1") }
    case .checks(let service?, _): sent = request("/v1/health/checks/" + service)
    case .checks(nil, let state): sent = request("/v1/health/state/" + state)
    case .event(let name):
      sent = request("/v1/event/list")
      if let name { sent.add("name", name) }
    case .agentService(let id): sent = request("/v1/agent/service/" + id)
    case .connectRoots: sent = request("/v1/agent/connect/ca/roots")
    case .connectLeaf(let service): sent = request("/v1/agent/connect/ca/leaf/" + service)
    }
    return sent
  }

  private func render(_ response: APIResponse, after index: UInt64) throws -> [UInt8] {
    var writer = JSONWriter()
    if response.status == 404 {
      switch view {
      case .key, .keyPrefix: writer.null()
      default: throw ClientError.unexpectedStatus(code: 404, body: response.text.trimmed)
      }
      return writer.finish()
    }
    let json = try response.json()
    switch view {
    case .key:
      if let pair = json.array?.first { ResponseView.keyValue.write(pair, to: &writer) } else { writer.null() }
    case .keyPrefix: ResponseView.keyValue.write(list: json, to: &writer)
    case .services, .agentService, .connectRoots, .connectLeaf: json.encodeJSON(&writer, [])
    case .nodes: ResponseView.node.write(list: json, to: &writer)
    case .service: ResponseView.serviceEntry.write(list: json, to: &writer)
    case .checks: ResponseView.check.write(list: json, to: &writer)
    case .event: ResponseView.event.write(list: .array(Self.events(json.array ?? [], after: index)), to: &writer)
    }
    return writer.finish()
  }

  /// The events that came after the one whose index is `index`; all of them if that one is not in the list any more.
  static func events(_ events: [Dynamic], after index: UInt64) -> [Dynamic] {
    guard index > 0, let seen = events.firstIndex(where: { eventIndex($0.text("ID")) == index }) else { return events }
    return Array(events[(seen + 1)...])
  }

  /// The index that an agent gives an event: both halves of its id, combined by exclusive or.
  static func eventIndex(_ id: String) -> UInt64? {
    let digits = id.filter { $0 != "-" }
    guard digits.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
      let low = UInt64(digits.suffix(16), radix: 16)
    else { return nil }
    return high ^ low
  }
}
