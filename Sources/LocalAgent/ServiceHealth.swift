import Model

/// A local service with its health: its own checks and those of the node.
public struct ServiceHealth: Sendable, Equatable {
  public var service: NodeService
  /// In the order of their ids.
  public var checks: [HealthCheck]

  public var status: CheckStatus { CheckStatus.aggregate(checks) }
}

extension CheckStatus {
  /// The worst of `checks`. Maintenance is worse than critical; a status that is none counts as critical.
  public static func aggregate(_ checks: some Sequence<HealthCheck>) -> CheckStatus {
    checks.map { check in
      if check.checkID == CheckID.nodeMaintenance || check.checkID.hasPrefix(CheckID.serviceMaintenancePrefix) {
        return .maintenance
      }
      return CheckStatus(rawValue: check.status) ?? .critical
    }.max() ?? .passing
  }
}

/// A local service with the hash that clients wait for.
public struct HashedService: Sendable, Equatable {
  public var service: NodeService
  /// Hexadecimal digits that change with the content, without leading zeros.
  public var contentHash: String
}
