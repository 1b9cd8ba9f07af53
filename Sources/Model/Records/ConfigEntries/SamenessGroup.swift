/// Clusters whose services of the same name are the same.
public struct SamenessGroup: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.samenessGroup

  public var common = ConfigEntryFields(kind)
  public var defaultForFailover = false
  public var includeLocal = false
  public var members: [SamenessGroupMember] = []

  public init() {}

  public static let schema = Schema<SamenessGroup>("structs.SamenessGroupConfigEntry") {
    $0.kind(\.common, .notOnWire)
    $0.name(\.common)
    $0.field("DefaultForFailover", \.defaultForFailover, .omitEmpty)
    $0.field("IncludeLocal", \.includeLocal, .omitEmpty)
    $0.field("Members", \.members, .nullWhenEmpty)
    $0.history(\.common)
  }
}

/// One of the clusters.
public struct SamenessGroupMember: Record {
  public var partition = ""
  public var peer = ""

  public init() {}

  public static let schema = Schema<SamenessGroupMember>("structs.SamenessGroupMember") {
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("Peer", \.peer, .omitEmpty)
  }
}
