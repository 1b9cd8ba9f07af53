import AccessControl
import Consensus
import Logging
import Model
import NIOCore
import State
import Synchronization

/// A server of the datacenter: the replicated state, consensus about its changes, and what a leader has to do.
public final class ServerNode: Sendable {
  public struct Settings: Sendable {
    public var datacenter: String
    public var registration: ServerRegistration
    public var sessionTTLMinimum = GoDuration.seconds(10)
    public var logger: Logger
    /// Where files lie that are needed for a moment.
    public var temporaryDirectory = "/tmp"
    /// What autopilot begins with in a new cluster.
    public var autopilot = AutopilotConfiguration()
    public var requestLimits = RequestLimits()
    public var coordinates = CoordinateBatching()
    /// Nil without access control.
    public var accessControl: AccessControlSettings?
    /// Ends the process for a reason that no retry can mend.
    public var stop: @Sendable (_ reason: String) -> Never = { fatalError($0) }

    public init(datacenter: String, registration: ServerRegistration, logger: Logger) {
      self.datacenter = datacenter
      self.registration = registration
      self.logger = logger
    }
  }

  public let settings: Settings
  public let store: StateStore
  public let raft: RaftNode
  let raftID: ServerID
  let leader: LeaderDuties
  private let isLeading: LeadershipFlag
  let limiter: RequestLimiter
  let autopilot = Mutex(AutopilotState())
  /// Turns tokens into rights; nil without access control.
  public let tokens: TokenResolver?
  /// The same as requests see it: with `acl.dry_run`, what would be refused is let through and noted.
  public let access: (any AuthorizerResolver)?

  /// Opens the log, recovers the state and starts consensus.
  ///
  /// - Parameters:
  ///   - storage: Where the log, the term and snapshots are kept.
  ///   - loop: Runs the timers of a leader.
  /// - Throws: `RaftError` when what is stored cannot be used; nothing was changed then.
  public init(
    settings: Settings, raftOptions: RaftOptions, storage: RaftStorage, loop: any EventLoop
  ) throws(RaftError) {
    self.settings = settings
    limiter = RequestLimiter(settings.requestLimits, logger: settings.logger)
    let store = StateStore()
    let tokens = settings.accessControl.map {
      TokenResolver($0, datacenter: settings.datacenter) { store.current }
    }
    self.tokens = tokens
    if let tokens, tokens.settings.isDryRun {
      access = DryRun.resolver(tokens, logger: settings.logger)
    } else {
      access = tokens
    }
    let duties = LeaderDuties(settings: settings, store: store, loop: loop)
    let flag = LeadershipFlag()
    self.store = store
    leader = duties
    isLeading = flag
    raftID = raftOptions.id
    raft = try RaftNode(
      options: raftOptions, storage: storage,
      machine: CommandApplier(store: store, stop: settings.stop) { duties.applied($0) },
      observeLeadership: { change in
        switch change {
        case .gained:
          ServerMetrics.becameLeader.increment()
          duties.lead()
          flag.set(true)
        case .lost:
          ServerMetrics.becameFollower.increment()
          flag.set(false)
          duties.follow()
        }
      })
    duties.start { [raft] command, completion in raft.propose(command.encode(), completion: completion) }
  }

  /// For reloads of the configuration.
  public func setRequestLimits(_ limits: RequestLimits) { limiter.set(limits) }

  public var isLeader: Bool { isLeading.value }

  /// Stops consensus; what was acknowledged is on disk.
  public func shutdown() {
    leader.follow()
    raft.shutdown()
  }
}

/// Whether this server leads and has applied what its predecessors committed.
final class LeadershipFlag: Sendable {
  private let flag = Atomic<Bool>(false)
  var value: Bool { flag.load(ordering: .acquiring) }
  func set(_ value: Bool) { flag.store(value, ordering: .releasing) }
}
