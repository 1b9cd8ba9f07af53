import Model

/// What differs between the configuration that runs and a new one, and how much of it takes effect without a restart.
public struct ConfigurationChanges: Sendable, Equatable {
  /// Options that a reload puts into effect, in the order of the table.
  public let applied: [String]
  /// Options that need a restart and keep their old value until then.
  public let ignored: [String]

  public var isEmpty: Bool { applied.isEmpty && ignored.isEmpty }

  public init(from old: RuntimeConfiguration, to new: RuntimeConfiguration) {
    let changed = SettingTable.all.filter { old.settings[$0.path] != new.settings[$0.path] }
    applied = changed.filter { $0.traits.contains(.reloadable) }.map(\.path)
    ignored = changed.filter { !$0.traits.contains(.reloadable) }.map(\.path)
  }

  /// Whether any option of this block, or this option, takes effect.
  public func applies(to path: String) -> Bool {
    applied.contains { $0 == path || $0.hasPrefix(path + ".") }
  }
}

extension RuntimeConfiguration {
  /// The configuration that is in effect after a reload: reloadable options of `new`, all else of this one.
  ///
  /// Addresses and ports stay as they are, and so do names and roles: what the options say about them is kept for the next
  /// start.
  public func reloaded(with new: RuntimeConfiguration) -> RuntimeConfiguration {
    var result = self
    result.settings = Self.reloadedSettings(settings, new.settings)
    result.services = new.services
    result.checks = new.checks
    result.watches = new.watches
    result.configEntriesToBootstrap = new.configEntriesToBootstrap
    result.discoveryMaxStale = new.discoveryMaxStale
    result.reloadFaces(new)
    result.reloadSecurity(new)
    result.cache = new.cache
    result.logging.level = new.logging.level
    result.telemetry.allowedPrefixes = new.telemetry.allowedPrefixes
    result.telemetry.blockedPrefixes = new.telemetry.blockedPrefixes
    result.telemetry.filterDefault = new.telemetry.filterDefault
    result.telemetry.statsdAddress = new.telemetry.statsdAddress
    result.telemetry.statsiteAddress = new.telemetry.statsiteAddress
    result.telemetry.dogstatsdAddress = new.telemetry.dogstatsdAddress
    result.telemetry.dogstatsdTags = new.telemetry.dogstatsdTags
    result.raft.snapshotThreshold = new.raft.snapshotThreshold
    result.raft.snapshotInterval = new.raft.snapshotInterval
    result.raft.trailingLogs = new.raft.trailingLogs
    return result
  }

  private static func reloadedSettings(_ old: SettingValues, _ new: SettingValues) -> SettingValues {
    var result = old
    for setting in SettingTable.all where setting.traits.contains(.reloadable) {
      result[setting.path] = new[setting.path]
    }
    return result
  }

  private mutating func reloadFaces(_ new: RuntimeConfiguration) {
    let domains = (dns.domain, dns.altDomain)
    dns = new.dns
    (dns.domain, dns.altDomain) = domains
    http.blockEndpoints = new.http.blockEndpoints
    http.responseHeaders = new.http.responseHeaders
    http.allowWriteFrom = new.http.allowWriteFrom
    checkSettings.discardOutput = new.checkSettings.discardOutput
    limits.httpMaxConnectionsPerClient = new.limits.httpMaxConnectionsPerClient
    limits.rpcClientTimeout = new.limits.rpcClientTimeout
    limits.rpcMaxConnectionsPerClient = new.limits.rpcMaxConnectionsPerClient
    limits.rpcRate = new.limits.rpcRate
    limits.rpcMaxBurst = new.limits.rpcMaxBurst
    limits.requestMode = new.limits.requestMode
    limits.readRate = new.limits.readRate
    limits.writeRate = new.limits.writeRate
    limits.xdsUpdateMaxPerSecond = new.limits.xdsUpdateMaxPerSecond
  }

  private mutating func reloadSecurity(_ new: RuntimeConfiguration) {
    let initialManagement = acl.tokens.initialManagement
    acl.tokens = new.acl.tokens
    acl.tokens.initialManagement = initialManagement
    let name = tls.serverName
    let automatic = tls.grpc.useAutomaticCertificate
    tls = new.tls
    tls.serverName = name
    tls.grpc.useAutomaticCertificate = automatic
  }
}
