import Checks
import Model

extension LocalAgent {
  /// Checks the definitions of configuration files without registering anything.
  ///
  /// - Throws: `definition`, which names the service or check that is wrong.
  public static func validate(
    services: [ServiceDefinition], checks: [CheckDefinition], node: String = ""
  ) throws(LocalAgentError) {
    _ = try registrations(services, node: node)
    _ = try registrations(checks, node: node)
  }

  private static func registrations(
    _ definitions: [ServiceDefinition], node: String
  ) throws(LocalAgentError) -> [ServiceRegistration] {
    var registrations: [ServiceRegistration] = []
    for definition in definitions {
      let service = "service \"\(definition.name)\""
      for type in (definition.check.isEmptyValue ? [] : [definition.check.value]) + definition.checks {
        do {
          try Checks.validate(type)
        } catch {
          throw .definition(what: "\(service): check \"\(type.name)\"", reason: error.description)
        }
      }
      do {
        registrations.append(try ServiceRegistration(definition, node: node))
      } catch {
        throw .definition(what: service, reason: error.description)
      }
    }
    return registrations
  }

  private static func registrations(
    _ definitions: [CheckDefinition], node: String
  ) throws(LocalAgentError) -> [CheckRegistration] {
    var registrations: [CheckRegistration] = []
    for definition in definitions {
      do {
        registrations.append(try CheckRegistration(definition, origin: .configurationFile, node: node))
      } catch .checkInvalid(let reason) {
        throw .definition(what: "check \"\(definition.type.name)\"", reason: reason)
      } catch {
        throw .definition(what: "check \"\(definition.type.name)\"", reason: error.description)
      }
    }
    return registrations
  }

  /// Registers what configuration files define and what the data directory kept; everything else goes. Checks that were
  /// there before keep their status. Where a file and the API defined the same id, the file counts, and what was kept is
  /// deleted. Used at start and at every reload; not to be called on an event loop.
  ///
  /// - Throws: what is wrong with a definition; nothing was changed then.
  public func load(services: [ServiceDefinition], checks: [CheckDefinition]) throws(LocalAgentError) {
    let serviceRegistrations = try Self.registrations(services, node: nodeName)
    let checkRegistrations = try Self.registrations(checks, node: nodeName)
    for warning in serviceRegistrations.flatMap(\.warnings) { logger.warning("\(warning)") }
    pauseSync()
    defer { resumeSync() }
    let result: Result<Void, LocalAgentError> = operations.withLock { _ in
      do throws(LocalAgentError) {
        var plan = LoadPlan(agent: self, memories: memories())
        for registration in serviceRegistrations { try plan.add(registration) }
        for registration in checkRegistrations { try plan.add(registration) }
        if let disk { plan.addStored(disk.store) }
        try replaceAll(with: plan)
        updateExposedChecks()
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  private func replaceAll(with plan: LoadPlan) throws(LocalAgentError) {
    let now = Self.now
    let stopped = try change { (core) throws(LocalAgentError) in
      for entry in core.state.presentServices { core.state.removeService(entry.service.id) }
      for entry in core.state.presentChecks { core.state.removeCheck(entry.check.checkID) }
      let stopped = Array(core.runners.values)
      core.runners = [:]
      for service in plan.services { _ = try core.add(service, now: now) }
      for check in plan.checks { _ = try core.add(check, now: now) }
      return stopped
    }
    for runner in stopped { runner.stop() }
    begin(plan.services.flatMap(\.checks) + plan.checks)
  }
}

/// What an agent will know after it was loaded: everything is prepared before anything is touched.
private struct LoadPlan {
  private let agent: LocalAgent
  private let memories: [String: CheckMemory]
  private(set) var services: [ServiceAddition] = []
  private(set) var checks: [CheckAddition] = []
  /// What will be there, to find free ports and to see which services exist.
  private var preview: LocalState
  private var checkIDs: Set<String> = []

  init(agent: LocalAgent, memories: [String: CheckMemory]) {
    self.agent = agent
    self.memories = memories
    preview = LocalState(node: agent.settings.node)
  }

  mutating func add(_ registration: ServiceRegistration) throws(LocalAgentError) {
    do throws(LocalAgentError) {
      put(try agent.addition(registration, token: "", origin: .configurationFile, memories: memories))
      guard var sidecar = registration.sidecar else { return }
      if sidecar.needsPort {
        sidecar.listen(on: try agent.settings.sidecarPort(for: sidecar.service.id, in: preview).get())
      }
      put(try agent.addition(sidecar, token: "", origin: .configurationFile, memories: memories))
    } catch {
      throw .definition(what: "service \"\(registration.service.service)\"", reason: error.description)
    }
  }

  mutating func add(_ registration: CheckRegistration) throws(LocalAgentError) {
    let id = registration.check.checkID
    do throws(LocalAgentError) {
      let serviceID = registration.check.serviceID
      if !serviceID.isEmpty, preview.service(serviceID) == nil { throw .noSuchService(id: serviceID) }
      put(
        try agent.addition(registration, token: "", origin: .configurationFile, memory: memories[id]))
    } catch {
      throw .definition(what: "check \"\(registration.check.name)\"", reason: error.description)
    }
  }

  private mutating func put(_ addition: ServiceAddition) {
    services.removeAll { $0.service.id == addition.service.id }
    services.append(addition)
    preview.put(addition.service, token: addition.token, origin: addition.origin)
    checkIDs.formUnion(addition.checks.map(\.check.checkID))
  }

  private mutating func put(_ addition: CheckAddition) {
    checks.removeAll { $0.check.checkID == addition.check.checkID }
    checks.append(addition)
    checkIDs.insert(addition.check.checkID)
  }

  /// Adds what the data directory kept. What a file defines now, and what no longer fits, is deleted there.
  mutating func addStored(_ store: RegistrationStore) {
    for record in store.loadServices() {
      let id = record.service.id
      guard record.source == PersistedService.fromAPI || record.source.isEmpty, preview.service(id) == nil else {
        discard(store, .services, id: id)
        continue
      }
      put(
        ServiceAddition(
          service: record.service, token: record.token, origin: .api, managedProxy: record.managedProxy?.value,
          checks: []))
    }
    for record in store.loadChecks() { addStored(record, store) }
  }

  private mutating func addStored(_ record: PersistedCheck, _ store: RegistrationStore) {
    let id = record.check.checkID
    guard !checkIDs.contains(id), record.check.serviceID.isEmpty || preview.service(record.check.serviceID) != nil
    else { return discard(store, .checks, id: id) }
    var check = record.check
    check.node = agent.nodeName
    check.output = ""
    // Whatever it was before: nothing is healthy until something says so.
    check.status = CheckStatus.critical.rawValue
    guard let definition = record.definition else {
      return put(CheckAddition(check: check, definition: nil, token: record.token, origin: .api))
    }
    do {
      let registration = CheckRegistration(check: check, definition: definition, token: record.token)
      put(try agent.addition(registration, token: record.token, origin: .api, memory: memories[id]))
    } catch {
      agent.logger.warning("a stored check cannot be run", metadata: ["check": "\(id)", "reason": "\(error)"])
    }
  }

  private func discard(_ store: RegistrationStore, _ kind: RegistrationStore.Kind, id: String) {
    agent.logger.debug("a stored registration is superseded", metadata: ["id": "\(id)"])
    do {
      try store.remove(kind, id: id)
    } catch {
      agent.logger.warning("a stored registration cannot be deleted", metadata: ["error": "\(error)"])
    }
  }
}
