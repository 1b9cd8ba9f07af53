import Logging
import Model
import NIOCore
import State
import Synchronization

/// Follows the config entries of the primary datacenter: a duty of the leader of a secondary one.
final class ConfigEntryReplicator: Sendable {
  private let secondary: Secondary
  private let datacenter: String
  private let store: StateStore
  private let loop: any EventLoop
  private let logger: Logger
  /// Whether a request without a token sees nothing.
  private let needsToken: Bool
  private let propose: Replicator.Propose
  private let task = Mutex<Task<Void, Never>?>(nil)

  init(
    _ secondary: Secondary, datacenter: String, needsToken: Bool, store: StateStore, loop: any EventLoop,
    logger: Logger, propose: @escaping Replicator.Propose
  ) {
    self.secondary = secondary
    self.datacenter = datacenter
    self.needsToken = needsToken
    self.store = store
    self.loop = loop
    self.logger = logger
    self.propose = propose
  }

  /// Begins, or begins anew: the state may have become another.
  func lead() {
    follow()
    task.withLock { $0 = Task { await self.run() } }
  }

  func follow() {
    task.withLock {
      $0?.cancel()
      $0 = nil
    }
  }

  private func run() async {
    var index: UInt64 = 0
    var failures = 0
    while !Task.isCancelled {
      do throws(ServerError) {
        let new = try await round(since: index)
        // A primary that counts from the beginning again was restored, or is another one.
        index = new < index ? 0 : new
        failures = 0
      } catch {
        if Task.isCancelled { return }
        (index, failures) = (0, failures + 1)
        logger.warning(
          "config entries were not replicated", metadata: ["primary": "\(secondary.primary.name)", "error": "\(error)"])
      }
      try? await Task.sleep(for: .nanoseconds(secondary.primary.pace.pause(afterFailures: failures).nanoseconds))
    }
  }

  /// Waits for something new in the primary, and makes this datacenter the same.
  /// - Returns: the index up to which it is.
  private func round(since index: UInt64) async throws(ServerError) -> UInt64 {
    var options = QueryOptions()
    options.token = secondary.replicationToken.revealed
    if needsToken, options.token.isEmpty {
      // Nobody is told without a token that something is kept from them.
      throw .permissionDenied("acl.tokens.replication is not set")
    }
    options.minIndex = index
    let call = CancellableCall<Answer<[ConfigEntry]>>()
    let answer = try await call.result { [options] completion in
      self.secondary.ask(ConfigEntryListAll(ConfigEntryReplicationPlan.kinds), options, on: self.loop, completion)
    }
    if answer.isFiltered {
      // What is kept back would seem to be deleted.
      throw .permissionDenied("the replication token may not read all config entries of the primary datacenter")
    }
    try await carryOut(
      ConfigEntryReplicationPlan(
        here: store.current.configEntries(ConfigEntryReplicationPlan.kinds).value, there: answer.value,
        datacenter: datacenter
      ).changes)
    return answer.index
  }

  /// A change may have to wait for another one: those that are refused are tried again as long as any succeeds.
  private func carryOut(_ changes: [ConfigEntryRequest]) async throws(ServerError) {
    var left = changes
    while !left.isEmpty {
      var refused: [ConfigEntryRequest] = []
      var reason: ServerError?
      for change in left {
        do throws(ServerError) {
          try await log(change)
        } catch .rejected(let text) {
          refused.append(change)
          reason = .rejected("\(change.entry.kind.rawValue)/\(change.entry.name): \(text)")
        }
      }
      if let reason, refused.count == left.count { throw reason }
      left = refused
    }
  }

  private func log(_ change: ConfigEntryRequest) async throws(ServerError) {
    if Task.isCancelled { throw .noLeader }
    let call = CancellableCall<CommandResult>()
    let result = try await call.result { completion in
      self.propose(.configEntry(change), completion)
      return nil
    }
    _ = try result.success(prefix: "")
  }
}
