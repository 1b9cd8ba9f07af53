import Model

/// The health that an alias check takes over from its target.
struct AliasHealth: Sendable {
  let target: AliasTarget
  /// The alias check itself, on its own node: it must not follow itself.
  let ownID: String
  let ownNode: String

  /// The worst of the target's checks. The health of a service includes that of its node.
  func result(_ view: AliasView) -> ProbeResult {
    if !target.serviceID.isEmpty && !view.serviceExists {
      return .critical("Service \(target.serviceID) could not be found on node \(target.node)")
    }
    let isOwnNode = target.node.isEmpty || target.node.lowercased() == ownNode.lowercased()
    var worst: HealthCheck?
    var worstStatus = CheckStatus.passing
    var count = 0
    for check in view.checks {
      guard check.serviceID.isEmpty || check.serviceID == target.serviceID else { continue }
      if isOwnNode && check.checkID == ownID { continue }
      count += 1
      let status = CheckStatus(rawValue: check.status) ?? .critical
      if status > worstStatus {
        worst = check
        worstStatus = min(status, .critical)
      }
      if worstStatus == .critical { break }
    }
    if let worst {
      return ProbeResult(status: worstStatus, output: "Aliased check \"\(worst.name)\" failing: \(worst.output)")
    }
    return .passing(count == 0 ? "No checks found." : "All checks passing.")
  }
}
