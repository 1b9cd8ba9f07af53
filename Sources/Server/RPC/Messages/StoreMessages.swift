import Model

/// Keys with their values.
public struct IndexedDirEntries: RPCReply {
  public var entries: [Row<KVEntry>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedDirEntries>("structs.IndexedDirEntries") {
    $0.field("Entries", \.entries)
    $0.embed(\.meta)
  }
}

/// Names of keys.
public struct IndexedKeyList: RPCReply {
  public var keys: [String] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedKeyList>("structs.IndexedKeyList") {
    $0.field("Keys", \.keys)
    $0.embed(\.meta)
  }
}

/// Sessions.
public struct IndexedSessions: RPCReply {
  public var sessions: [Row<Session>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedSessions>("structs.IndexedSessions") {
    $0.field("Sessions", \.sessions)
    $0.embed(\.meta)
  }
}

/// Operations that only read.
public struct TxnReadRequest: RPCReadRequest {
  public var datacenter = ""
  public var ops: [TxnOp] = []
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<TxnReadRequest>("structs.TxnReadRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Ops", \.ops)
    $0.embed(\.options)
  }
}

/// What became of them.
public struct TxnReadResponse: RPCReply {
  public var results: [TxnResult] = []
  public var errors: [TxnError] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<TxnReadResponse>("structs.TxnReadResponse") {
    $0.field("Results", \.results)
    $0.field("Errors", \.errors)
    $0.embed(\.meta)
  }
}
