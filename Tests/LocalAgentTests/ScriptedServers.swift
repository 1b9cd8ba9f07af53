import Model
import NIOCore
import Server
import State
import Synchronization

/// Servers that know one node, and let queries wait for its next change.
final class ScriptedServers: Backend {
  fileprivate final class Waiting: PendingQuery, Sendable {
    let answer: @Sendable () -> Void
    let cancelled: @Sendable (Waiting) -> Void

    init(_ answer: @escaping @Sendable () -> Void, cancelled: @escaping @Sendable (Waiting) -> Void) {
      self.answer = answer
      self.cancelled = cancelled
    }

    func cancel() { cancelled(self) }
  }

  fileprivate struct Content {
    var index: UInt64 = 1
    var checks: [HealthCheck] = []
    var services: [String] = []
    var waiting: [Waiting] = []
  }

  private let content = Mutex(Content())

  var datacenter: String { "dc1" }
  var datacenters: [String] { ["dc1"] }
  var leaderAddress: String { "" }
  var peerAddresses: [String] { [] }
  /// How many queries wait.
  var waiting: Int { content.withLock { $0.waiting.count } }

  func set(_ checks: [HealthCheck], services: [String]) {
    let woken = content.withLock { content in
      content.index += 1
      content.checks = checks
      content.services = services
      defer { content.waiting = [] }
      return content.waiting
    }
    for query in woken { query.answer() }
  }

  func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> (any PendingQuery)? {
    let answer: @Sendable () -> Void = { [self] in
      let (reply, index) = content.withLock { ($0.reply(to: query), $0.index) }
      loop.execute {
        completion(reply.map { .success(Answer(value: $0, index: index)) } ?? .failure(.noLeader))
      }
    }
    let waiting = content.withLock { content -> Waiting? in
      guard options.minIndex >= content.index else { return nil }
      let waiting = Waiting(answer) { [weak self] query in
        self?.content.withLock { $0.waiting.removeAll { $0 === query } }
      }
      content.waiting.append(waiting)
      return waiting
    }
    if waiting == nil { answer() }
    return waiting
  }

  func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) { completion(.failure(.noLeader)) }

  func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void
  ) { completion(.failure(.noLeader)) }

  func restoreSnapshot(
    _ archive: SpoolFile, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) { completion(.failure(.noLeader)) }
}

extension ScriptedServers.Content {
  fileprivate func reply<Query: ReadQuery>(to query: Query) -> Query.Reply? {
    if query is HealthNodeChecks { return checks.map { Row($0) } as? Query.Reply }
    guard query is CatalogNodeServices else { return nil }
    let found: NodeServices? = NodeServices(
      node: Row(Node()), services: services.map { Row(NodeService.make($0)) })
    return found as? Query.Reply
  }
}
