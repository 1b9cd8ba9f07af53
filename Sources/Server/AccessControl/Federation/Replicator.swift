import Logging
import Model
import NIOCore
import State
import Synchronization

/// Follows the policies, roles and global tokens of the primary datacenter: a duty of the leader of a secondary one.
///
/// Each kind is followed by itself, by a query that waits in the primary until something changes; what differs then is
/// fetched and logged in batches.
final class Replicator: Sendable {
  typealias Propose = @Sendable (Command, @escaping @Sendable (Result<CommandResult, ServerError>) -> Void) -> Void

  private let secondary: Secondary
  private let store: StateStore
  private let loop: any EventLoop
  private let logger: Logger
  private let propose: Propose
  private let tasks = Mutex<[Task<Void, Never>]>([])

  init(_ secondary: Secondary, store: StateStore, loop: any EventLoop, logger: Logger, propose: @escaping Propose) {
    self.secondary = secondary
    self.store = store
    self.loop = loop
    self.logger = logger
    self.propose = propose
  }

  /// Begins, or begins anew: the state may have become another.
  func lead() {
    stop()
    secondary.note { $0.running = true }
    var started = [follow(ReplicatedPolicies.self), follow(ReplicatedRoles.self)]
    if secondary.primary.replicatesTokens { started.append(follow(ReplicatedTokens.self)) }
    tasks.withLock { [started] in $0 = started }
  }

  /// Tries at once what failed, if this server leads.
  func restart() {
    if secondary.status.running { lead() }
  }

  func follow() {
    stop()
    secondary.note { $0.running = false }
  }

  private func stop() {
    let running = tasks.withLock { tasks in
      defer { tasks = [] }
      return tasks
    }
    for task in running { task.cancel() }
  }

  private func follow<Kind: ReplicatedKind>(_ kind: Kind.Type) -> Task<Void, Never> {
    Task { await self.run(kind) }
  }

  // MARK: rounds

  private func run<Kind: ReplicatedKind>(_ kind: Kind.Type) async {
    var index: UInt64 = 0
    var failures = 0
    while !Task.isCancelled {
      do throws(ServerError) {
        let new = try await round(kind, since: index)
        // A primary that counts from the beginning again was restored, or is another one.
        index = new < index ? 0 : new
        failures = 0
        secondary.note {
          Kind.note(new, &$0)
          $0.lastSuccess = WallClock.now()
        }
      } catch {
        if Task.isCancelled { return }
        (index, failures) = (0, failures + 1)
        failed(kind, error)
      }
      try? await Task.sleep(for: .nanoseconds(pause(failures).nanoseconds))
    }
  }

  /// Servers that failed together do not come back together.
  private func pause(_ failures: Int) -> GoDuration {
    let pause = secondary.primary.pace.pause(afterFailures: failures).nanoseconds
    return GoDuration(nanoseconds: failures == 0 ? pause : .random(in: pause / 2...max(pause, 1)))
  }

  private func failed<Kind: ReplicatedKind>(_ kind: Kind.Type, _ error: ServerError) {
    let text = "failed to replicate ACL \(Kind.name) changes: \(error)"
    logger.warning("\(text)", metadata: ["primary": "\(secondary.primary.name)"])
    secondary.note {
      $0.lastError = WallClock.now()
      $0.lastErrorMessage = text
    }
  }

  /// Waits for something new in the primary, and makes this datacenter the same.
  /// - Returns: the index up to which it is.
  private func round<Kind: ReplicatedKind>(_ kind: Kind.Type, since index: UInt64) async throws(ServerError) -> UInt64 {
    let answer = try await ask(Kind.list, since: index)
    let plan = ReplicationPlan(here: Kind.outlines(store.current), there: Kind.outlines(answer.value))
    for ids in ReplicationBatches.ids(plan.deletions) { try await log(Kind.deletion(ids)) }
    for ids in ReplicationBatches.ids(plan.upserts) {
      let items = try Kind.items(try await ask(Kind.batch(ids)).value)
      if !Kind.areComplete(items, store.current) {
        // They overtook what they name.
        _ = try await round(ReplicatedPolicies.self, since: 0)
        if Kind.self == ReplicatedTokens.self { _ = try await round(ReplicatedRoles.self, since: 0) }
      }
      for batch in ReplicationBatches.items(items, size: { $0.messagePack.count }) { try await log(Kind.upsert(batch)) }
    }
    if !plan.isEmpty {
      logger.debug(
        "replicated",
        metadata: [
          "kind": "\(Kind.name)", "upserts": "\(plan.upserts.count)", "deletions": "\(plan.deletions.count)",
        ])
    }
    return answer.index
  }

  private func ask<Query: ReadQuery>(
    _ query: Query, since index: UInt64 = 0
  ) async throws(ServerError) -> Answer<Query.Reply> {
    var options = QueryOptions()
    options.token = secondary.replicationToken.revealed
    options.minIndex = index
    let call = CancellableCall<Answer<Query.Reply>>()
    return try await call.result { [options] completion in
      self.secondary.ask(query, options, on: self.loop, completion)
    }
  }

  private func log(_ command: AccessControlCommand) async throws(ServerError) {
    if Task.isCancelled { throw .noLeader }
    let call = CancellableCall<CommandResult>()
    let result = try await call.result { completion in
      self.propose(.accessControl(command), completion)
      return nil
    }
    _ = try result.success(prefix: "")
  }
}
