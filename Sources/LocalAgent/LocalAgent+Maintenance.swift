import Checks
import Model
import NIOCore

extension LocalAgent {
  private static func missingReason(_ what: String) -> String {
    "Maintenance mode is enabled for this \(what), but no reason was provided. This is a default message."
  }

  /// Takes the node out of service, or back. Where nothing changes, nothing happens: the first reason stays.
  ///
  /// - Parameters:
  ///   - reason: shown as the note of the check that stands for the maintenance; "" for a standard text.
  ///   - token: the token of the request.
  public func setNodeMaintenance(
    _ enabled: Bool, reason: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, LocalAgentError>) -> Void
  ) {
    perform(on: loop, completion) { [self] () throws(LocalAgentError) in
      try setMaintenance(
        enabled, check: CheckID.nodeMaintenance, name: "Node Maintenance Mode", serviceID: "",
        reason: reason.isEmpty ? Self.missingReason("node") : reason, token: token)
      logger.info("node \(enabled ? "entered" : "left") maintenance mode")
    }
  }

  /// The same for one service.
  ///
  /// - Parameter completion: runs on `loop` with `unknownService` when it is not there.
  public func setServiceMaintenance(
    _ id: String, _ enabled: Bool, reason: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, LocalAgentError>) -> Void
  ) {
    perform(on: loop, completion) { [self] () throws(LocalAgentError) in
      guard service(id) != nil else { throw .unknownService(id: id) }
      try setMaintenance(
        enabled, check: CheckID.serviceMaintenancePrefix + id, name: "Service Maintenance Mode", serviceID: id,
        reason: reason.isEmpty ? Self.missingReason("service") : reason, token: token)
      logger.info("service \(enabled ? "entered" : "left") maintenance mode", metadata: ["service": "\(id)"])
    }
  }

  private func setMaintenance(
    _ enabled: Bool, check id: String, name: String, serviceID: String, reason: String, token: String
  ) throws(LocalAgentError) {
    guard (check(id) != nil) != enabled else { return }
    guard enabled else { return try remove(check: id) }
    var check = HealthCheck()
    check.node = nodeName
    check.checkID = id
    check.name = name
    check.status = CheckStatus.critical.rawValue
    check.notes = reason
    check.serviceID = serviceID
    check.type = "maintenance"
    try add(CheckAddition(check: check, definition: nil, token: token, origin: .api))
  }
}
