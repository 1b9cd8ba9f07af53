import Checks
import Model

/// A service of this agent.
struct LocalService: Sendable, Equatable {
  var service: NodeService
  /// "" for the agent's own.
  var token: String
  var origin: CheckOrigin
  var managedProxy: ManagedProxy?
  /// Changes with `service`, see `ContentHash`.
  var contentHash = ""
  var sync = SyncMark()
}

/// A check of this agent.
struct LocalCheck: Sendable, Equatable {
  var check: HealthCheck
  /// Nil for maintenance, which nothing probes.
  var definition: CheckType?
  var token: String
  var origin: CheckOrigin
  /// Monotonic nanoseconds since when the check has been critical; nil while it is not.
  var criticalSince: UInt64?
  /// Monotonic nanoseconds at which a change of the output alone goes to the catalog; nil when none waits.
  var outputDue: UInt64?
  var sync = SyncMark()

  var isMaintenance: Bool { definition == nil }

  /// How long the check may be critical before its service is removed; zero for ever.
  var reapAfter: GoDuration { definition?.deregisterCriticalServiceAfter ?? .zero }
}

/// How an entry relates to the catalog.
struct SyncMark: Sendable, Equatable {
  /// The catalog is believed to hold exactly this entry. While `isDeleted`, that it held it before the removal.
  var isInSync = false
  /// Removed here; kept until the catalog knows.
  var isDeleted = false
  /// Changes with every change of the entry, so that an answer of the catalog to an earlier state is recognised.
  var revision: UInt64 = 0

  var isSettled: Bool { isInSync && !isDeleted }
}
