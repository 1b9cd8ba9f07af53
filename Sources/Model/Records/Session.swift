/// A lease on behalf of a node, which holds locks and ends when the node, a check or its time does.
public struct Session: Record {
  public var id = ""
  public var name = ""
  public var node = ""
  /// How long nobody may take a lock after this session was invalidated.
  public var lockDelay = GoDuration.zero
  public var behavior = SessionBehavior.release
  /// Text as the client gave it; "" means no limit.
  public var ttl = ""
  /// Node checks whose critical state ends the session.
  public var nodeChecks: [String] = []
  public var serviceChecks: [SessionServiceCheck] = []
  /// The form of releases before 1.7, still on the wire.
  public var checks: [String] = []
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<Session>("structs.Session") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("Node", \.node)
    $0.field("LockDelay", \.lockDelay)
    $0.field("Behavior", \.behavior)
    $0.field("TTL", \.ttl)
    $0.field("NodeChecks", \.nodeChecks)
    $0.field("ServiceChecks", \.serviceChecks, .nullWhenEmpty)
    $0.field("Checks", \.checks, .omitEmpty)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// What becomes of the keys that a session holds when it ends.
public enum SessionBehavior {
  public static let release = "release"
  public static let delete = "delete"
}

/// A service check whose critical state ends a session.
public struct SessionServiceCheck: Record, Hashable {
  public var id = ""
  public var namespace = ""

  public init() {}

  public static let schema = Schema<SessionServiceCheck>("structs.ServiceCheck") {
    $0.field("ID", \.id)
    $0.field("Namespace", \.namespace)
  }
}
