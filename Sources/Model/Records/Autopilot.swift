/// How the servers of a datacenter look after themselves (`/v1/operator/autopilot/configuration`).
public struct AutopilotConfiguration: Record {
  /// Failed servers are removed when a new one has joined.
  public var cleanupDeadServers = true
  /// A server that the leader did not hear of for longer is not healthy.
  public var lastContactThreshold = GoDuration(nanoseconds: 200_000_000)
  /// A server whose log is shorter than the leader's by more entries is not healthy.
  public var maxTrailingLogs: UInt64 = 250
  /// Servers that must stay when failed ones are removed.
  public var minQuorum: UInt64 = 0
  /// How long a new server must be healthy before it may vote.
  public var serverStabilizationTime = GoDuration.seconds(10)
  public var redundancyZoneTag = ""
  public var disableUpgradeMigration = false
  public var upgradeVersionTag = ""
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<AutopilotConfiguration>("api.AutopilotConfiguration") {
    $0.field("CleanupDeadServers", \.cleanupDeadServers)
    $0.field("LastContactThreshold", \.lastContactThreshold, .durationText)
    $0.field("MaxTrailingLogs", \.maxTrailingLogs)
    $0.field("MinQuorum", \.minQuorum)
    $0.field("ServerStabilizationTime", \.serverStabilizationTime, .durationText)
    $0.field("RedundancyZoneTag", \.redundancyZoneTag)
    $0.field("DisableUpgradeMigration", \.disableUpgradeMigration)
    $0.field("UpgradeVersionTag", \.upgradeVersionTag)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// Replaces the configuration; with `cas` only the one whose `modifyIndex` the new one names.
public struct AutopilotSetConfigRequest: Record {
  public var datacenter = ""
  public var config = AutopilotConfiguration()
  public var cas = false
  public var token = ""

  public init() {}

  public static let schema = Schema<AutopilotSetConfigRequest>("structs.AutopilotSetConfigRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Config", \.config)
    $0.field("CAS", \.cas)
    $0.field("Token", \.token)
  }
}
