import Logging
import Model
import NIOCore
import NIOSSL
import Synchronization
import Testing

@testable import Checks

extension Probe {
  /// The result of one run.
  func once() async -> ProbeResult? {
    await withCheckedContinuation { continuation in
      _ = run(on: group.next()) { continuation.resume(returning: $0) }
    }
  }
}

/// The probe that a definition leads to.
func probe(_ definition: CheckType, agentTLS: AgentTLS? = nil, outputLimit: Int = 4096) throws -> any Probe {
  var environment = testEnvironment(on: group, agentTLS: agentTLS)
  environment.scripts = .enabled
  return try #require(try makeProbe(try validate(definition), definition, outputLimit: outputLimit, environment))
}

func check(_ change: (inout CheckType) -> Void) -> CheckType {
  var definition = CheckType()
  definition.interval = .seconds(10)
  change(&definition)
  return definition
}

func testEnvironment(
  on group: any EventLoopGroup, aliases: any AliasSource = NoAliases(), agentTLS: AgentTLS? = nil
) -> CheckEnvironment {
  var environment = CheckEnvironment(
    eventLoopGroup: group, nodeName: "here", aliases: aliases, logger: Logger(label: "test"), agentTLS: agentTLS)
  environment.stagger = { GoDuration(nanoseconds: $0.nanoseconds / 2) }
  return environment
}

struct NoAliases: AliasSource {
  struct Subscription: AliasSubscription {
    func cancel() {}
  }
  func follow(_ target: AliasTarget, _ changed: @escaping @Sendable (AliasView) -> Void) -> any AliasSubscription {
    Subscription()
  }
}

/// Collects what checks report.
final class Recorder: CheckObserver {
  struct Update: Sendable, Equatable {
    var id: String
    var status: CheckStatus
    var output: String
  }
  private let list = Mutex<[Update]>([])
  private let stream: AsyncStream<Update>
  private let continuation: AsyncStream<Update>.Continuation
  /// Called with every update.
  private let also: @Sendable (any RunningCheck) -> Void

  init(_ also: @escaping @Sendable (any RunningCheck) -> Void = { _ in }) {
    (stream, continuation) = AsyncStream.makeStream()
    self.also = also
  }

  func checkUpdated(id: String, from check: any RunningCheck, status: CheckStatus, output: String) {
    let update = Update(id: id, status: status, output: output)
    list.withLock { $0.append(update) }
    continuation.yield(update)
    also(check)
  }

  var updates: [Update] { list.withLock { $0 } }
  func next() async -> Update? { await stream.first { _ in true } }
}
