import AccessControl
import Model
import NIOCore
import State
import Synchronization

/// What the configuration of a secondary datacenter says of the one that its config entries and its access control come from.
public struct PrimaryDatacenter: Sendable {
  public var name: String
  /// Whether global tokens are kept here too (`acl.enable_token_replication`): then tokens work while the primary is away,
  /// and there can be tokens of this datacenter alone.
  public var replicatesTokens = false
  /// With what the primary is asked (`acl.tokens.replication`).
  public var replicationToken = Secret()
  /// Until the primary is asked again what a token may do that is not kept here.
  public var tokenTTL = GoDuration.seconds(30)
  /// What such tokens may do while the primary cannot be asked.
  public var downPolicy = RemoteTokenResolver.DownPolicy.extendCache
  public var pace = ReplicationPace()

  public init(_ name: String) { self.name = name }
}

/// How often the primary is asked for changes.
public struct ReplicationPace: Sendable {
  /// Between two rounds: what changes more often than that arrives together.
  public var pause = GoDuration.seconds(1)
  /// After the first failure; doubles with each further one, to at most `longestRetry`.
  public var retry = GoDuration.seconds(1)
  public var longestRetry = GoDuration.minutes(1)

  public init() {}

  /// The pause after so many failures in a row.
  func pause(afterFailures count: Int) -> GoDuration {
    if count == 0 { return pause }
    let (product, overflow) = retry.nanoseconds.multipliedReportingOverflow(by: 1 << min(count - 1, 30))
    return overflow ? longestRetry : min(GoDuration(nanoseconds: product), longestRetry)
  }
}

/// The server of a secondary datacenter as far as it depends on the primary: what belongs there, and how to ask it.
final class Secondary: Sendable {
  private struct WeakBackend {
    weak var value: ClusterBackend?
  }

  let primary: PrimaryDatacenter
  private let datacenter: String
  private let state: @Sendable () -> StateSnapshot
  private let token: Mutex<Secret>
  private let backend = Mutex(WeakBackend())
  private let progress: Mutex<ACLReplicationStatus>

  init(_ primary: PrimaryDatacenter, datacenter: String, state: @escaping @Sendable () -> StateSnapshot) {
    self.primary = primary
    self.datacenter = datacenter
    self.state = state
    token = Mutex(primary.replicationToken)
    var status = ACLReplicationStatus()
    status.enabled = true
    status.sourceDatacenter = primary.name
    status.replicationType = primary.replicatesTokens ? "tokens" : "policies"
    progress = Mutex(status)
  }

  /// The secret with which the primary is asked.
  var replicationToken: Secret {
    get { token.withLock { $0 } }
    set { token.withLock { $0 = newValue } }
  }

  /// Whether there can be tokens of this datacenter alone. Without replication nobody could tell them from those that the
  /// primary has deleted.
  var allowsLocalTokens: Bool { primary.replicatesTokens && !replicationToken.isEmpty }

  /// What decides where a request of access control belongs.
  var view: SecondaryView { SecondaryView(allowsLocalTokens: allowsLocalTokens, state: state()) }

  var status: ACLReplicationStatus { progress.withLock { $0 } }
  func note(_ change: (inout ACLReplicationStatus) -> Void) { progress.withLock { change(&$0) } }

  /// Logins make tokens of one datacenter alone.
  static let needsTokenReplication = ServerError.invalid("Token replication is required for auth methods to function")

  // MARK: asking the primary

  /// By which way servers of other datacenters are reached; there is none before the server has its port.
  func connect(_ backend: ClusterBackend) { self.backend.withLock { $0.value = backend } }

  @discardableResult
  func ask<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> (any PendingQuery)? {
    guard let backend = backend.withLock({ $0.value }) else {
      completion(.failure(.noPathToDatacenter(primary.name)))
      return nil
    }
    var options = options
    options.datacenter = primary.name
    return backend.query(query, options, on: loop, completion)
  }
}

/// What decides where a request of access control belongs, in a secondary datacenter.
public struct SecondaryView: Sendable {
  var allowsLocalTokens: Bool
  var state: StateSnapshot

  /// Whether a token is known, and known to be of this datacenter alone.
  func isLocalToken(accessor: String) -> Bool { state.aclToken(accessor: accessor).value?.local ?? false }
  func isLocalToken(secret: Secret) -> Bool { state.aclTokenRow(secret: secret)?.value.local ?? false }
}
