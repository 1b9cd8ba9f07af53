import AccessControl
import Authentication
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
    /// This server as a member of the pool.
    public var member: ClusterMember
    public var sessionTTLMinimum = GoDuration.seconds(10)
    public var logger: Logger
    /// Where files lie that are needed for a moment.
    public var temporaryDirectory = "/tmp"
    /// What autopilot begins with in a new cluster.
    public var autopilot = AutopilotConfiguration()
    public var requestLimits = RequestLimits()
    public var coordinates = CoordinateBatching()
    /// Where config entries and access control come from; nil in that datacenter itself.
    public var primary: PrimaryDatacenter?
    /// Nil without access control.
    public var accessControl: AccessControlSettings?
    /// How identity providers are asked when somebody logs in.
    public var providers: any ProviderTransport = NoProviders()
    /// Nil without a service mesh, and so without certificates for it.
    public var authority: AuthoritySettings?
    /// Whether services of the mesh may connect where no intention says otherwise.
    public var allowsIntentionsByDefault = true
    /// Config entries that a new cluster begins with. What was changed since stays.
    public var initialConfigEntries: [ConfigEntry] = []
    /// Nil where agents do not get their settings from servers.
    public var autoConfiguration: AutoConfigService?
    /// Ends the process for a reason that no retry can mend.
    public var stop: @Sendable (_ reason: String) -> Never = { fatalError($0) }

    public init(datacenter: String, member: ClusterMember, logger: Logger) {
      self.datacenter = datacenter
      self.member = member
      self.logger = logger
    }
  }

  public let settings: Settings
  public let store: StateStore
  public let raft: RaftNode
  let raftID: ServerID
  let leader: LeaderDuties
  let memberDuties: MemberDuties
  /// Who is in the pools of this server's agent.
  public let members: MemberTable
  let leadership: Leadership
  /// Whether this server has ever heard from a leader, or led.
  let heard = OnceTrue()
  let limiter: RequestLimiter
  /// Turns tokens of this datacenter's state into rights; nil without access control.
  public let tokens: TokenResolver?
  /// What this server has to do with the primary datacenter; nil in that, and without access control.
  let secondary: Secondary?
  /// Finds out in the primary what tokens may do that are not kept here.
  let foreignTokens: FederatedTokenResolver?
  /// The same as requests see it: tokens that the primary knows count too, and with `acl.dry_run`, what would be refused is
  /// let through and noted.
  public let access: (any AuthorizerResolver)?
  /// What is known of identity providers, and who is just logging in with a browser.
  let logins: LoginService

  /// Opens the log, recovers the state and starts consensus.
  ///
  /// - Parameters:
  ///   - members: Who is in the pools. This server is put into it.
  ///   - storage: Where the log, the term and snapshots are kept.
  ///   - transport: Carries messages of consensus; nil for a server that never has peers.
  ///   - loop: Runs the timers of a leader.
  /// - Throws: `RaftError` when what is stored cannot be used; nothing was changed then.
  public init(
    settings: Settings, members: MemberTable? = nil, raftOptions: RaftOptions, storage: RaftStorage,
    transport: (any RaftTransport)? = nil, loop: any EventLoop
  ) throws(RaftError) {
    let members = members ?? MemberTable(datacenter: settings.datacenter)
    members.put(settings.member)
    self.members = members
    self.settings = settings
    limiter = RequestLimiter(settings.requestLimits, logger: settings.logger)
    let store = StateStore()
    let tokens = settings.accessControl.map {
      TokenResolver($0, datacenter: settings.datacenter) { store.current }
    }
    self.tokens = tokens
    let secondary = (settings.primary ?? settings.accessControl?.primary).map {
      Secondary($0, datacenter: settings.datacenter) { store.current }
    }
    self.secondary = secondary
    let foreign: FederatedTokenResolver?
    if let secondary, let tokens {
      foreign = FederatedTokenResolver(tokens, secondary, datacenter: settings.datacenter, on: loop)
    } else {
      foreign = nil
    }
    foreignTokens = foreign
    let resolver: (any AuthorizerResolver)? = foreign ?? tokens
    if let resolver, tokens?.settings.isDryRun ?? false {
      access = DryRun.resolver(resolver, logger: settings.logger)
    } else {
      access = resolver
    }
    logins = LoginService(settings.providers, logger: settings.logger)
    let proposals = LeaderProposals(logger: settings.logger)
    let duties = LeaderDuties(
      settings: settings, store: store, secondary: secondary, proposals: proposals, loop: loop)
    let memberDuties = MemberDuties(settings: settings, store: store, members: members, loop: loop) {
      proposals.propose($0)
    }
    let leadership = Leadership()
    self.store = store
    leader = duties
    self.memberDuties = memberDuties
    self.leadership = leadership
    raftID = raftOptions.id
    raft = try RaftNode(
      options: raftOptions, storage: storage,
      machine: CommandApplier(store: store, stop: settings.stop) { duties.applied($0) }, transport: transport,
      observeLeadership: { change in
        switch change {
        case .gained:
          ServerMetrics.becameLeader.increment()
          duties.lead()
          memberDuties.lead()
          leadership.gained()
        case .lost:
          ServerMetrics.becameFollower.increment()
          leadership.lost()
          memberDuties.follow()
          duties.follow()
        }
      })
    proposals.start { [raft] in raft.propose($0, completion: $1) }
    raft.observeLeader { [heard] in if $0 != nil { heard.set(true) } }
    memberDuties.start(raft)
  }

  /// For reloads of the configuration.
  public func setRequestLimits(_ limits: RequestLimits) { limiter.set(limits) }

  /// How far this datacenter has followed the primary one. Only a leader knows.
  var replicationStatus: ACLReplicationStatus { secondary?.status ?? ACLReplicationStatus() }

  /// With what the primary datacenter is asked; without effect in the primary itself.
  public func setReplicationToken(_ secret: Secret) {
    guard let secondary, secondary.replicationToken != secret else { return }
    secondary.replicationToken = secret
    leader.accessControl.replicationTokenChanged()
  }

  public var isLeader: Bool { leadership.isLeading }

  /// Calls `observer` whenever this server begins to lead, and at once if it leads already.
  public func observeLeadership(_ observer: @escaping @Sendable () -> Void) { leadership.observe(observer) }

  /// Stops consensus; what was acknowledged is on disk.
  public func shutdown() {
    leadership.lost()
    memberDuties.follow()
    leader.follow()
    raft.shutdown()
  }
}

/// A flag that many threads read.
final class OnceTrue: Sendable {
  private let flag = Atomic<Bool>(false)
  var value: Bool { flag.load(ordering: .relaxed) }
  func set(_ value: Bool) { flag.store(value, ordering: .relaxed) }
}
