import Model
import NIOCore

/// What has to be known of a request to find out who carries it out.
struct Wish: Sendable {
  var method: String
  var datacenter: String
  var isRead: Bool
  /// Any server may answer, with what it knows.
  var isStale = false
  /// The server that is asked answers, whoever leads.
  var isForAnyServer = false
  /// Whether it waits for a server that can carry it out. Who asks who leads wants to know how things are now.
  var mayBeHeld = true
  /// How long the request itself may wait for a change.
  var blockingTime: TimeAmount?

  init(write method: String, datacenter: String) {
    self.method = method
    self.datacenter = datacenter
    isRead = false
  }

  /// Something that every server of the datacenter can tell or do; "" is the own one.
  ///
  /// - Parameter isRead: Whether it may be done twice.
  init(anyServer method: String, datacenter: String, isRead: Bool = true) {
    self.init(write: method, datacenter: datacenter)
    self.isRead = isRead
    isForAnyServer = true
  }

  init(_ method: String, _ options: QueryOptions) {
    self.method = method
    datacenter = options.datacenter
    isRead = true
    isStale = options.consistency == .stale
    if options.minIndex > 0 { blockingTime = BlockingTime.limit(options.maxTime) }
  }
}

/// Where a request can be carried out at this moment.
enum Destination: Sendable, Equatable {
  case here
  /// The server with this RPC address.
  case server(String)
  /// Nowhere, but perhaps in a moment.
  case nowhere(ServerError)
  /// Nowhere.
  case refused(ServerError)
}

/// Why a request was not carried out, where it was tried.
enum RouteError: Error, Equatable {
  case here(ServerError)
  case there(RPCError)

  /// Whether another attempt may succeed, and cannot carry the request out twice (wire/rpc.md, section 7.1).
  ///
  /// - Parameter byClient: An agent that can choose among servers has no use for the limit of one of them, and a server none
  ///   for that of its leader.
  func allowsRetry(of wish: Wish, byClient: Bool) -> Bool {
    switch self {
    case .here(.noLeader): true
    case .here: false
    case .there(.connecting): true
    case .there(.broken): wish.isRead
    case .there(.remote(let text)):
      text.contains("No cluster leader") || text.contains("node is not the leader")
        || text.contains("please resubmit call for rechunking")
        || text.contains(
          byClient ? "try again later or against a different server" : "can only be performed by the leader")
        || (wish.isRead && text.hasSuffix("EOF"))
    case .there: false
    }
  }

  /// Whether the server itself could not be asked, so that another one may do.
  func isOfConnection(for wish: Wish) -> Bool {
    switch self {
    case .there(.connecting): true
    case .there(.broken): wish.isRead
    default: false
    }
  }

  var serverError: ServerError {
    switch self {
    case .here(let error): error
    case .there(let error): ServerError(error)
    }
  }

  /// What the caller of a forwarded request is told.
  var failure: RPCFailure {
    switch self {
    case .here(let error): RPCFailure(error)
    case .there(let error): RPCFailure(error.description)
    }
  }
}
