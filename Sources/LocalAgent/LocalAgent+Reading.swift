import AccessControl
import Model

extension LocalAgent {
  /// The name of the agent's node.
  public var nodeName: String { node.name }
  public var datacenter: String { settings.datacenter }

  /// All services, in the byte order of their ids.
  public func services() -> [NodeService] { core.withLock { $0.state.presentServices.map(\.service) } }

  public func service(_ id: String) -> NodeService? { core.withLock { $0.state.service(id)?.service } }

  /// All checks of the node and its services, in the byte order of their ids.
  public func checks() -> [HealthCheck] { core.withLock { $0.state.presentChecks.map(\.check) } }

  public func check(_ id: String) -> HealthCheck? { core.withLock { $0.state.check(id)?.check } }

  /// A service with its health; nil when it is not there.
  public func health(serviceID id: String) -> ServiceHealth? { core.withLock { $0.state.health(of: id) } }

  /// All services of that name with their health, in the byte order of their ids.
  public func health(serviceName name: String) -> [ServiceHealth] {
    core.withLock { core in
      core.state.presentServices.filter { $0.service.service == name }.compactMap {
        core.state.health(of: $0.service.id)
      }
    }
  }

  /// What the filters of user events look at.
  var eventAudience: UserEventAudience {
    UserEventAudience(node: nodeName, services: services().map { ($0.service, $0.tags) })
  }

  /// The proxies that the agent is to run itself, by the id of their service.
  public func managedProxies() -> [String: ManagedProxy] {
    core.withLock { core in
      var proxies: [String: ManagedProxy] = [:]
      for entry in core.state.presentServices { proxies[entry.service.id] = entry.managedProxy }
      return proxies
    }
  }

  /// The right that changing a service needs.
  ///
  /// - Throws: `unknownService`.
  public func permission(forService id: String) throws(LocalAgentError) -> Permission {
    guard let service = service(id) else { throw .unknownService(id: id) }
    return .serviceWrite(service.service)
  }

  /// The right that changing a check needs: that of its service, or of the node.
  ///
  /// - Throws: `unknownCheck`.
  public func permission(forCheck id: String) throws(LocalAgentError) -> Permission {
    guard let check = check(id) else { throw .unknownCheck(id: id) }
    return check.serviceID.isEmpty ? .nodeWrite(nodeName) : .serviceWrite(check.serviceName)
  }

  /// The rights that adding a check needs: those of its service, or of the node, and of the check that it replaces.
  ///
  /// - Throws: `noSuchService`.
  public func permissions(for registration: CheckRegistration) throws(LocalAgentError) -> [Permission] {
    var permissions: [Permission] = [.nodeWrite(nodeName)]
    let serviceID = registration.check.serviceID
    if !serviceID.isEmpty {
      guard let service = service(serviceID) else { throw .noSuchService(id: serviceID) }
      permissions = [.serviceWrite(service.service)]
    }
    if check(registration.check.checkID) != nil {
      permissions.append(try permission(forCheck: registration.check.checkID))
    }
    return permissions
  }
}
