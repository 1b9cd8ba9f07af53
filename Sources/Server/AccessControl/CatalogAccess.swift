import AccessControl
import Model
import State

/// Which rights changes of the catalog need: they depend on what is in it.
enum CatalogAccess {
  static func require(_ request: RegisterRequest, _ context: WriteContext) throws(ServerError) {
    guard let access = context.access, try !access.authorizer().isUnlimited else { return }
    let state = context.state
    if !request.skipNodeUpdate, request.changesNode(state.node(named: request.node)?.value) {
      try context.require(.nodeWrite(request.node))
    }
    if let service = request.service {
      try context.require(.serviceWrite(service.service))
      // Whoever may not change the service that has this id must not put another in its place.
      if let other = state.service(service.id, node: request.node)?.value, other.service != service.service {
        guard try access.authorizer().allows(.serviceWrite(other.service)) else { throw .permissionDenied("") }
      }
    }
    for check in request.checks {
      try context.require(permission(for: check, of: request, state))
    }
  }

  private static func permission(
    for check: HealthCheck, of request: RegisterRequest, _ state: StateSnapshot
  ) -> Permission {
    if check.serviceID.isEmpty { return .nodeWrite(request.node) }
    if let service = request.service, service.id == check.serviceID { return .serviceWrite(service.service) }
    let service = state.service(check.serviceID, node: request.node)?.value
    return service.map { .serviceWrite($0.service) } ?? .nodeWrite(request.node)
  }

  static func require(_ request: DeregisterRequest, _ context: WriteContext) throws(ServerError) {
    guard let access = context.access else { return }
    let authorizer = try access.authorizer()
    // Whoever may change the node may change all that is on it.
    if authorizer.isUnlimited || authorizer.allows(.nodeWrite(request.node)) { return }
    let state = context.state
    if !request.serviceID.isEmpty {
      guard let service = state.service(request.serviceID, node: request.node)?.value else {
        throw .invalid("Unknown service ID '\(request.serviceID)'")
      }
      return try context.require(.serviceWrite(service.service))
    }
    if !request.checkID.isEmpty {
      guard let check = state.check(request.checkID, node: request.node)?.value else {
        throw .invalid("Unknown check ID '\(request.checkID)'")
      }
      if !check.serviceID.isEmpty { return try context.require(.serviceWrite(check.serviceName)) }
    }
    try context.require(.nodeWrite(request.node))
  }
}

extension RegisterRequest {
  /// Whether the registration says something else of the node than the catalog does.
  fileprivate func changesNode(_ node: Node?) -> Bool {
    guard let node else { return true }
    return node.id != id || node.address != address || node.taggedAddresses != taggedAddresses || node.meta != nodeMeta
  }
}
