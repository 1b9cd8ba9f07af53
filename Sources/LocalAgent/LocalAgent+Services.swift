import Checks
import Model
import NIOCore

extension LocalAgent {
  /// Checks a definition that came over the API and fills in what it leaves out. Nothing is registered yet: see
  /// `ServiceRegistration.permissions` for the rights it takes, and `register`.
  ///
  /// - Throws: what is wrong with the definition.
  public func registration(_ definition: ServiceDefinition) throws(LocalAgentError) -> ServiceRegistration {
    let registration = try ServiceRegistration(definition, node: nodeName)
    if registration.managedProxy != nil, !settings.allowsManagedProxiesOverAPI { throw .managedProxyRefused }
    return registration
  }

  /// Registers a service with its checks and its sidecar. Checks that it has already keep their status, also those that
  /// `registration` does not name.
  ///
  /// - Parameters:
  ///   - token: the token of the request, for registrations that carry none.
  ///   - replacesChecks: removes the checks that `registration` does not name.
  ///   - completion: runs on `loop`, once the registration would survive a restart. When only the sidecar fails, the service
  ///     itself stays registered.
  public func register(
    _ registration: ServiceRegistration, token: String, replacesChecks: Bool, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, LocalAgentError>) -> Void
  ) {
    for warning in registration.warnings { logger.warning("\(warning)") }
    perform(on: loop, completion) { [self] () throws(LocalAgentError) in
      let memories = memories()
      let addition = try addition(registration, token: token, origin: .api, memories: memories)
      try add(addition, replacesChecks: replacesChecks)
      if var sidecar = registration.sidecar {
        if sidecar.needsPort {
          let port = core.withLock { settings.sidecarPort(for: sidecar.service.id, in: $0.state) }
          sidecar.listen(on: try port.get())
        }
        let addition = try self.addition(sidecar, token: token, origin: .api, memories: memories)
        try add(addition, replacesChecks: replacesChecks)
      }
      updateExposedChecks()
    }
  }

  /// Removes a service with its checks and the sidecar that came with it.
  ///
  /// - Parameter completion: runs on `loop` with `unknownService` when it is not there.
  public func deregisterService(
    _ id: String, on loop: any EventLoop, _ completion: @escaping @Sendable (Result<Void, LocalAgentError>) -> Void
  ) {
    perform(on: loop, completion) { [self] () throws(LocalAgentError) in
      guard service(id) != nil else { throw .unknownService(id: id) }
      try remove(service: id)
      let sidecar = SidecarRegistration.sidecarID(of: id)
      if service(sidecar)?.locallyRegisteredAsSidecar == true { try remove(service: sidecar) }
      updateExposedChecks()
    }
  }

  // MARK: Steps of operations

  func addition(
    _ registration: ServiceRegistration, token: String, origin: CheckOrigin, memories: [String: CheckMemory]
  ) throws(LocalAgentError) -> ServiceAddition {
    ServiceAddition(
      service: registration.service, token: registration.token.isEmpty ? token : registration.token, origin: origin,
      managedProxy: registration.managedProxy,
      checks: try additions(
        registration.checks, token: token, origin: origin, memories: memories))
  }

  func addition(
    _ sidecar: SidecarRegistration, token: String, origin: CheckOrigin, memories: [String: CheckMemory]
  ) throws(LocalAgentError) -> ServiceAddition {
    ServiceAddition(
      service: sidecar.service, token: sidecar.token.isEmpty ? token : sidecar.token, origin: origin, managedProxy: nil,
      checks: try additions(sidecar.checks, token: token, origin: origin, memories: memories))
  }

  private func additions(
    _ registrations: [CheckRegistration], token: String, origin: CheckOrigin, memories: [String: CheckMemory]
  ) throws(LocalAgentError) -> [CheckAddition] {
    var additions: [CheckAddition] = []
    for registration in registrations {
      additions.append(
        try addition(
          registration, token: token, origin: origin, memory: memories[registration.check.checkID]))
    }
    return additions
  }

  /// Keeps a service on the disk and puts it in place.
  private func add(_ addition: ServiceAddition, replacesChecks: Bool) throws(LocalAgentError) {
    let id = addition.service.id
    let kept = Set(addition.checks.map(\.check.checkID))
    let present = core.withLock { $0.state.checks(of: id).map(\.check.checkID) }
    let dropped = replacesChecks ? present.filter { !kept.contains($0) } : []
    try keep(addition)
    for id in dropped { try forget(check: id) }
    let now = Self.now
    let replaced = try change { (core) throws(LocalAgentError) in
      var replaced = try core.add(addition, now: now)
      for id in dropped { if let runner = core.removeCheck(id) { replaced.append(runner) } }
      return replaced
    }
    for runner in replaced { runner.stop() }
    begin(addition.checks)
  }

  /// Starts the runners of checks that are in place.
  func begin(_ checks: [CheckAddition]) {
    for check in checks {
      check.runner?.start()
      scheduleDeadline(ofCheck: check.check.checkID)
    }
  }

  func scheduleDeadline(ofCheck id: String) {
    let minimum = settings.criticalServiceMinimum
    if let deadline = core.withLock({ $0.state.deadline(ofCheck: id, minimum: minimum) }) { wake(by: deadline) }
  }

  private func remove(service id: String) throws(LocalAgentError) {
    let checks = core.withLock { $0.state.checks(of: id).map(\.check.checkID) }
    try forget(service: id)
    for check in checks { try forget(check: check) }
    let stopped = try change { (core) throws(LocalAgentError) in core.removeService(id) }
    for runner in stopped { runner.stop() }
  }
}

extension LocalAgentSettings {
  /// The port for a sidecar that names none: the one it has, or the lowest of the range that no service uses.
  func sidecarPort(for id: String, in state: LocalState) -> Result<Int, LocalAgentError> {
    if let present = state.service(id)?.service.port, sidecarPorts.contains(present) { return .success(present) }
    let used = Set(state.presentServices.map(\.service.port))
    guard let free = sidecarPorts.first(where: { !used.contains($0) }) else {
      return .failure(.noSidecarPortLeft(minimum: sidecarPorts.lowerBound, maximum: sidecarPorts.upperBound))
    }
    return .success(free)
  }
}
