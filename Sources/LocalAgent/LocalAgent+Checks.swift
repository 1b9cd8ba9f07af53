import Checks
import Model
import NIOCore

extension LocalAgent {
  /// Gives running and new checks another certificate and other authorities (`enable_agent_tls_for_checks`).
  public func replaceCheckTLS(_ tls: AgentTLS?) { checkEnvironment?.replaceTLS(tls) }

  /// Checks the definition of a check that came over the API. Nothing is registered yet.
  ///
  /// - Throws: what is wrong with the definition.
  public func registration(_ definition: CheckDefinition) throws(LocalAgentError) -> CheckRegistration {
    try CheckRegistration(definition, origin: .api, node: nodeName)
  }

  /// Registers a check of the node or of a service.
  ///
  /// - Parameters:
  ///   - token: the token of the request, for definitions that carry none.
  ///   - completion: runs on `loop`, once the registration would survive a restart.
  public func register(
    _ registration: CheckRegistration, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, LocalAgentError>) -> Void
  ) {
    perform(on: loop, completion) { [self] () throws(LocalAgentError) in
      let serviceID = registration.check.serviceID
      if !serviceID.isEmpty, service(serviceID) == nil { throw .noSuchService(id: serviceID) }
      try add(try addition(registration, token: token, origin: .api, memory: nil))
      updateExposedChecks()
    }
  }

  /// Removes a check.
  ///
  /// - Parameter completion: runs on `loop` with `unknownCheck` when it is not there.
  public func deregisterCheck(
    _ id: String, on loop: any EventLoop, _ completion: @escaping @Sendable (Result<Void, LocalAgentError>) -> Void
  ) {
    perform(on: loop, completion) { [self] () throws(LocalAgentError) in
      guard check(id) != nil else { throw .unknownCheck(id: id) }
      try remove(check: id)
    }
  }

  /// Takes what an application says of its own health.
  ///
  /// - Throws: `updateStatusInvalid`, `unknownCheck`, `notTTL`.
  public func updateTTL(check id: String, status: String, output: String) throws(LocalAgentError) {
    guard let status = CheckStatus(rawValue: status), status != .maintenance else {
      throw .updateStatusInvalid(status)
    }
    let (exists, runner, ttl) = core.withLock { core in
      let entry = core.state.check(id)
      return (entry != nil, core.runners[id], entry?.definition?.ttl ?? .zero)
    }
    guard exists else { throw .unknownCheck(id: id) }
    guard let runner, runner.kind == .ttl else { throw .notTTL(id: id) }
    do {
      try runner.setTTL(status: status, output: output)
    } catch {
      throw .notTTL(id: id)
    }
    guard let disk, let check = check(id) else { return }
    var state = PersistedCheckState()
    state.checkID = id
    state.output = check.output
    state.status = check.status
    state.expires = Self.unixTime.addingReportingOverflow(ttl.nanoseconds / 1_000_000_000).partialValue
    disk.states.save(state)
  }

  // MARK: Steps of operations

  /// Keeps a check on the disk and puts it in place.
  func add(_ addition: CheckAddition) throws(LocalAgentError) {
    try keep(addition)
    let now = Self.now
    let replaced = try change { (core) throws(LocalAgentError) in try core.add(addition, now: now) }
    replaced?.stop()
    begin([addition])
  }

  func remove(check id: String) throws(LocalAgentError) {
    try forget(check: id)
    let stopped = try change { (core) throws(LocalAgentError) in core.removeCheck(id) }
    stopped?.stop()
  }
}

extension LocalAgent: CheckObserver {
  public func checkUpdated(id: String, from check: any RunningCheck, status: CheckStatus, output: String) {
    let now = Self.now
    let delay = UInt64(clamping: staggered(settings.checkUpdateInterval).nanoseconds)
    let output = settings.discardsCheckOutput ? "" : output
    let changed = try? change { (core) throws(LocalAgentError) in
      guard core.runners[id] === check else { return LocalState.CheckChange.none }
      return core.state.update(check: id, status: status, output: output, now: now, outputDelay: delay)
    }
    if let changed, changed != .none { scheduleDeadline(ofCheck: id) }
  }

  /// Half of `interval`, and by chance up to the whole again: outputs of many checks do not arrive together.
  private func staggered(_ interval: GoDuration) -> GoDuration {
    guard interval > .zero else { return .zero }
    return GoDuration(nanoseconds: interval.nanoseconds / 2 + .random(in: 0...interval.nanoseconds))
  }
}
