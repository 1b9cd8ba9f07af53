import Model

/// How far a secondary datacenter has followed the primary.
public struct ACLReplicationStatus: Record, Equatable {
  public var enabled = false
  public var running = false
  public var sourceDatacenter = ""
  /// `policies`, or `tokens` where these are followed too.
  public var replicationType = ""
  /// Of the policies, as the primary counts.
  public var replicatedIndex: UInt64 = 0
  public var replicatedRoleIndex: UInt64 = 0
  public var replicatedTokenIndex: UInt64 = 0
  public var lastSuccess = Timestamp()
  public var lastError = Timestamp()
  public var lastErrorMessage = ""

  public init() {}

  public static let schema = Schema<ACLReplicationStatus>("structs.ACLReplicationStatus") {
    $0.field("Enabled", \.enabled)
    $0.field("Running", \.running)
    $0.field("SourceDatacenter", \.sourceDatacenter)
    $0.field("ReplicationType", \.replicationType)
    $0.field("ReplicatedIndex", \.replicatedIndex)
    $0.field("ReplicatedRoleIndex", \.replicatedRoleIndex)
    $0.field("ReplicatedTokenIndex", \.replicatedTokenIndex)
    $0.field("LastSuccess", \.lastSuccess)
    $0.field("LastError", \.lastError)
    $0.field("LastErrorMessage", \.lastErrorMessage)
  }
}
