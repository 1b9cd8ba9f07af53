import AccessControl
import Model
import NIOCore
import State
import Telemetry

/// # Server
///
/// What a server does with requests: reads from the replicated state, writes through consensus, the duties of a leader. The
/// faces (HTTP, DNS) and the local agent know it as `Backend` only, so that a client agent can put remote servers there.
/// The room must not know how requests arrive or how answers are shown.

/// A read of the replicated state, under the name and with the fields of the reference's RPC method.
///
/// It is carried out where the state is, by `evaluate`; on the way there it travels as `request`, and the answer travels back
/// as `Response` (`RPC/Forms`).
public protocol ReadQuery: Sendable {
  associatedtype Reply: Sendable
  associatedtype Request: RPCReadRequest
  associatedtype Response: FieldValue
  /// The RPC method, such as `KVS.Get`.
  static var method: String { get }
  /// The answer in one version of the state. Pure; runs where the request arrived.
  func evaluate(_ state: StateSnapshot) -> QueryResult<Reply>
  /// Whether everyone may ask, with a token that nobody knows, too.
  var isOpen: Bool { get }
  /// The right without which there is no answer; nil where only parts of it need rights, or none does.
  func permission(_ reader: Reader) -> Permission?
  /// Takes out of an answer what the reader may not see (`AccessControl/ReadRights.swift`).
  ///
  /// - Returns: whether there was anything.
  /// - Throws: `ServerError.permissionDenied`, if the answer as a whole is not for them.
  func limit(_ reply: inout Reply, to reader: Reader) throws(ServerError) -> Bool
  /// The answer with `limit`, for queries that need more than that.
  func evaluate(_ state: StateSnapshot, for reader: Reader) throws(ServerError) -> LimitedResult<Reply>
  /// Whether an answer tells where it comes from: what was refused by its looks comes from nowhere.
  func tellsOrigin(_ reply: Reply) -> Bool
  /// The query with what only servers know; before it is carried out.
  func informed(by server: ServerFacts) -> Self
  /// Counts what was asked and found, once per read.
  func count(_ answer: Reply)

  /// The query as it travels, without what `QueryOptions` says.
  var request: Request { get }
  init(request: Request) throws(ServerError)
  /// The answer as it travels, without where it comes from.
  static func response(_ reply: Reply) throws(ServerError) -> Response
  static func reply(_ response: Response) -> Reply
  /// The answer that the servers give in the form of this error; nil for real errors.
  static func reply(error: String) -> Reply?
  /// Where an answer comes from, for those that tell.
  static func meta(of response: Response) -> RPCQueryMeta?
  static func setMeta(_ meta: RPCQueryMeta, of response: inout Response)
  /// Whether it is refused where there is no service mesh (`connect.enabled`).
  static var needsMesh: Bool { get }
  /// Whether it is refused where there can be no tokens of one datacenter alone.
  static var needsLocalTokens: Bool { get }
  /// In a secondary datacenter, what to ask the primary instead of this one; nil for what is answered here.
  func inPrimary(_ here: SecondaryView) -> Self?
  /// Leaves only the elements that match, where an answer has elements.
  static func filter(_ response: inout Response, by expression: String) throws(FilterError)
}

extension ReadQuery {
  public var isOpen: Bool { false }
  public func informed(by server: ServerFacts) -> Self { self }
  public func tellsOrigin(_ reply: Reply) -> Bool { true }
  public static var needsMesh: Bool { false }
  public static var needsLocalTokens: Bool { false }
  public func inPrimary(_ here: SecondaryView) -> Self? { nil }
  public func count(_ answer: Reply) {}
  public static func reply(error: String) -> Reply? { nil }
  public static func meta(of response: Response) -> RPCQueryMeta? { nil }
  public static func setMeta(_ meta: RPCQueryMeta, of response: inout Response) {}
  public static func filter(_ response: inout Response, by expression: String) throws(FilterError) {}
}

extension ReadQuery where Response: RPCReply {
  public static func meta(of response: Response) -> RPCQueryMeta? { response.meta }
  public static func setMeta(_ meta: RPCQueryMeta, of response: inout Response) { response.meta = meta }
  public static func filter(_ response: inout Response, by expression: String) throws(FilterError) {
    try response.filter(expression)
  }
}

/// What queries may have to know of the servers beside the state.
public struct ServerFacts: Sendable {
  public var datacenter: String
  /// Whether services may connect where no intention says otherwise.
  public var allowsByDefault: Bool
}

/// A change of the replicated state, under the name and with the fields of the reference's RPC method.
///
/// The leader carries it out, beginning with `prepare`; on the way there it travels as `request`.
public protocol WriteRequest: Sendable {
  associatedtype Reply: Sendable
  associatedtype Request: RPCWriteRequest
  associatedtype Response: FieldValue
  static var method: String { get }
  /// Where the time is recorded that such changes take; nil where nobody wants to know.
  static var duration: MetricSample? { get }
  /// Checks the request against the rules that need no log and turns it into the command to log.
  ///
  /// - Throws: `ServerError.invalid` with the reference's text for requests that must not be logged.
  func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Reply>
  /// In a secondary datacenter, whether the primary carries it out.
  func belongsInPrimary(_ here: SecondaryView) -> Bool

  /// The change as it travels, without datacenter and token.
  var request: Request { get }
  init(request: Request) throws(ServerError)
  /// The answer as it travels.
  func response(_ reply: Reply) throws(ServerError) -> Response
  /// What an answer means.
  func reply(_ response: Response) -> Reply
}

extension WriteRequest {
  public static var duration: MetricSample? { nil }
  public func belongsInPrimary(_ here: SecondaryView) -> Bool { false }
}

/// What a write comes to once it was checked on the leader.
public enum PreparedWrite<Reply: Sendable>: Sendable {
  /// The answer is known without the log.
  case immediate(Reply)
  /// A command to log, and the meaning of what the state machine returns for it.
  case command(Command, @Sendable (CommandResult) throws(ServerError) -> Reply)
  /// Something outside the cluster has to be asked first, such as an identity provider. What it comes to is handed to the
  /// completion, from any thread.
  case later(@Sendable (_ completion: @escaping @Sendable (Result<PreparedWrite<Reply>, ServerError>) -> Void) -> Void)
}

extension PreparedWrite {
  /// More than one command, or more than a moment of work; runs elsewhere and calls back on any thread.
  static func work(
    _ body: @escaping @Sendable (_ completion: @escaping @Sendable (Result<Reply, ServerError>) -> Void) -> Void
  ) -> Self {
    .later { completion in body { completion($0.map { .immediate($0) }) } }
  }
}

/// What writes may look at while they are prepared, on the leader.
public struct WriteContext: Sendable {
  public var state: StateSnapshot
  public var datacenter: String
  public var sessionTTLMinimum: GoDuration
  /// Whether nobody may lock the key yet, because its last holder's session was invalidated a moment ago.
  public var isLockDelayed: @Sendable (String) -> Bool
  /// Starts the time of a session anew. False if it was over already, and the end of the session is being logged.
  public var renewSession: @Sendable (Row<Session>) -> Bool
  /// Notes where a node lies, to be logged with others.
  public var updateCoordinate: @Sendable (NodeCoordinate) -> Void = { _ in }
  /// What the token of the request may do; nil on servers without access control, where all may do everything.
  public var access: RequestAccess?
  /// The wall clock.
  public var now = Timestamp()
  /// The shortest time for which a token may be made.
  public var minimumTokenTTL = GoDuration.minutes(1)
  /// Where an operator may have put what allows another bootstrap.
  public var dataDirectory: String?
  /// Asks identity providers; nil on servers without access control.
  public var logins: LoginService?
  /// The datacenter that policies, roles and global tokens are written in; nil in that one itself.
  public var primaryDatacenter: String?
  /// Whether there can be tokens of this datacenter alone.
  public var allowsLocalTokens = true
  /// The cluster's certificate authority; nil on servers without a service mesh.
  var authority: AuthorityDuties?
  /// Whether there is a service mesh.
  public var hasMesh = true
  /// What new agents get; nil on servers that give them nothing.
  var autoConfiguration: AutoConfigService?
  /// The state at the time of the call: what a command made of it.
  public var current: @Sendable () -> StateSnapshot = { StateSnapshot() }

  /// Who writes, for answers that show what they may not see; nil where all may see everything.
  func reader() throws(ServerError) -> Reader? { try access?.reader() }

  /// - Throws: `ServerError.denied`, or `.tokenNotFound`, unless the token has the right.
  public func require(_ permission: @autoclosure () -> Permission) throws(ServerError) {
    try access?.require(permission())
  }
}

extension CommandResult {
  /// True, or the state machine's refusal as an error behind `prefix`.
  func success(prefix: String) throws(ServerError) -> Bool {
    switch self {
    case .done, .text, .number, .transaction: return true
    case .bool(let value): return value
    case .failed(let text): throw .rejected(prefix + text)
    }
  }
}

/// How a read wants to be answered.
public struct QueryOptions: Sendable, Equatable {
  public enum Consistency: Sendable { case leaseBased, consistent, stale }

  public var datacenter = ""
  public var token = ""
  public var consistency = Consistency.leaseBased
  /// Wait until the answer's index is above this; 0 does not wait.
  public var minIndex: UInt64 = 0
  /// How long to wait at most; zero means the default of 5 minutes. At most 10 minutes. Jitter of up to 1/16 is added.
  public var maxTime = GoDuration.zero
  public var maxStale = GoDuration.zero
  /// For reads that the agent's cache may answer: how fresh that has to be. Nil asks the servers.
  public var cache: CacheFreshness?

  public init() {}
}

/// An answer with what the reader may want to know of its origin.
public struct Answer<Reply: Sendable>: Sendable {
  public var value: Reply
  /// Never 0.
  public var index: UInt64
  /// Milliseconds since the answering server last heard of the leader; 0 on the leader.
  public var lastContactMilliseconds: UInt64 = 0
  public var knownLeader = true
  /// Whether something was left out that the token may not see.
  public var isFiltered = false
  /// Whether a stream of events kept the answer current, instead of a query that waits.
  public var isStreamed = false

  public init(value: Reply, index: UInt64) {
    self.value = value
    self.index = index
  }
}

/// Why a request was not carried out.
public enum ServerError: Error, Equatable, CustomStringConvertible {
  case noLeader
  /// A client agent that knows no server.
  case noServers
  case noPathToDatacenter(String)
  /// The datacenter is known, but none of its servers is alive.
  case datacenterUnreachable(String)
  case permissionDenied(String)
  /// The token lacks a right.
  case denied(AccessRefusal)
  case tokenNotFound
  /// Something of access control that is named does not exist.
  case accessObjectNotFound(String)
  /// The request breaks a rule; the text is the reference's.
  case invalid(String)
  /// The state machine refused the command; the text is the reference's.
  case rejected(String)
  /// The log cannot be written: the disk failed or is full.
  case storage(String)
  case shuttingDown
  /// More requests than `limits.request_limits` allows; `elsewhere` if another server may answer.
  case rateLimited(elsewhere: Bool)
  /// More requests for certificates than the authority signs.
  case signingLimit
  /// The request needs the service mesh, which is switched off.
  case meshDisabled
  /// More requests to the servers than `limits.rpc_rate` of the agent allows.
  case tooManyCalls

  public var description: String {
    switch self {
    case .noLeader: "No cluster leader"
    case .noServers: "No known Consul servers"
    case .noPathToDatacenter: "No path to datacenter"
    case .datacenterUnreachable: "Remote DC has no server currently reachable"
    case .permissionDenied(let what): what.isEmpty ? "Permission denied" : "Permission denied: \(what)"
    case .denied(let refusal): refusal.description
    case .tokenNotFound: "ACL not found"
    case .accessObjectNotFound(let what): "ACL not found: \(what)"
    case .invalid(let text), .rejected(let text), .storage(let text): text
    case .shuttingDown: "server is shutting down"
    case .rateLimited(true): "rate limit exceeded, try again later or against a different server"
    case .signingLimit: "Rate limit reached, try again later"
    case .meshDisabled: "Connect must be enabled in order to use this endpoint"
    case .rateLimited(false):
      "rate limit exceeded for operation that can only be performed by the leader, try again later"
    case .tooManyCalls: "RPC rate limit exceeded"
    }
  }
}

/// What the faces and the local agent need from the servers.
///
/// Completions run on `loop`. A read that memory can answer completes before the call returns when the caller is on `loop`.
public protocol Backend: SnapshotBackend {
  /// The agent's own datacenter.
  var datacenter: String { get }
  /// All known datacenters, nearest first.
  var datacenters: [String] { get }

  @discardableResult
  func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery?

  func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void)

  /// `ip:port` of the leader's RPC address, or "" when none is known.
  var leaderAddress: String { get }
  /// `ip:port` of every server of the consensus configuration.
  var peerAddresses: [String] { get }
}

/// A blocking query that waits; a face cancels it when its client goes away.
public protocol PendingQuery: Sendable {
  func cancel()
}
