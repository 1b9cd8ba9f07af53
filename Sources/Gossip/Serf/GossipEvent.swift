import Model

/// What the users of a pool hear of it, in the order of happening.
public enum GossipEvent: Sendable {
  case joined(Member)
  /// By its own will, or forced.
  case left(Member)
  case failed(Member)
  /// New tags or a new address.
  case updated(Member)
  /// Says that it is about to leave, or that it stays after all.
  case statusChanged(Member)
  /// Forgotten, after it left or failed.
  case reaped(Member)
  case userEvent(ReceivedUserEvent)
  case query(ReceivedQuery)
  /// The other members hold another node for the owner of our name: this one should end.
  case nameLost
}

public struct ReceivedUserEvent: Sendable, Equatable {
  public var lamportTime: UInt64
  public var name: String
  public var payload: [UInt8]
  /// Whether the sender allows to merge it with others of its name.
  public var coalesces: Bool
}

/// Tells queries apart.
public struct QueryKey: Sendable, Hashable {
  public var lamportTime: UInt64
  public var id: UInt32
}

/// A question of another node, or of this one.
public struct ReceivedQuery: Sendable, Equatable {
  /// What `respond` wants to know.
  public var key: QueryKey
  public var name: String
  public var payload: [UInt8]
  public var source: String
  public var deadline: GossipInstant
}

/// How a query is asked.
public struct QueryOptions: Sendable {
  /// Whom it is for; all filters must match. Empty: everybody.
  public var filters: [QueryFilter] = []
  /// Whether receivers confirm at once that they got it.
  public var wantsAcknowledgement = false
  /// How many others repeat each answer, for networks that lose datagrams: 0 … 5.
  public var relayFactor: UInt8 = 0
  /// Nil: by the size of the pool.
  public var timeout: GoDuration?

  public init() {}
}

/// What becomes of a query.
public enum QueryOutcome: Sendable, Equatable {
  case acknowledged(by: String)
  case answered(by: String, payload: [UInt8])
  case finished
}

/// A change of the keys of all members, or a question for them.
public enum KeyOperation: Sendable, Equatable {
  case install([UInt8])
  case use([UInt8])
  case remove([UInt8])
  case list

  var queryName: String {
    switch self {
    case .install: "_serf_install-key"
    case .use: "_serf_use-key"
    case .remove: "_serf_remove-key"
    case .list: "_serf_list-keys"
    }
  }

  var key: [UInt8] {
    switch self {
    case .install(let key), .use(let key), .remove(let key): key
    case .list: []
    }
  }
}

/// What the members answered to a key operation.
public struct KeyOperationResult: Sendable, Equatable {
  /// Members that were asked.
  public var memberCount = 0
  public var responseCount = 0
  public var errorCount = 0
  /// What members remarked, by name; errors above all.
  public var messages: [String: String] = [:]
  /// How many members have each key, in base64.
  public var keys: [String: Int] = [:]
  public var primaryKeys: [String: Int] = [:]
}

/// What came of joining.
public struct JoinResult: Sendable, Equatable {
  /// How many addresses answered.
  public var joinedCount = 0
  /// Why the others did not.
  public var failures: [Failure] = []

  public struct Failure: Sendable, Equatable {
    /// As it was given.
    public var address: String
    public var error: GossipError
  }
}

/// What the driver of a core has to do, in this order.
enum GossipEffect: Sendable {
  case network(NetworkEffect)
  case deliver(GossipEvent)
  case joinFinished(request: UInt64, joined: Int, failures: [(NodeAddress, GossipError)])
  case query(request: UInt64, QueryOutcome)
  case keysFinished(request: UInt64, KeyOperationResult)
  /// Keys changed: the file that keeps them is to be written, if there is one, and `SerfCore.keysKept` called after that.
  case keepKeys(UInt64, [String])
  /// Bytes for the end of the snapshot file.
  case appendSnapshot([UInt8])
  /// The snapshot file starts anew with these bytes.
  case replaceSnapshot([UInt8])
  case leaveFinished
  case log(GossipLogLevel, String)
}
