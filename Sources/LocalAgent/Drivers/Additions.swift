import Checks
import Model

/// A check about to be added, with its runner already made: nothing can go wrong any more.
struct CheckAddition: Sendable {
  var check: HealthCheck
  /// Nil for maintenance.
  var definition: CheckType?
  var token: String
  var origin: CheckOrigin
  var runner: (any RunningCheck)?
  /// Since when it was critical before, in monotonic nanoseconds.
  var criticalSince: UInt64?
}

/// A service about to be added, with its checks.
struct ServiceAddition: Sendable {
  var service: NodeService
  var token: String
  var origin: CheckOrigin
  var managedProxy: ManagedProxy?
  var checks: [CheckAddition]
}

/// What is known of a check from before it is added again.
struct CheckMemory: Sendable, Equatable {
  var status: String
  var output: String
  var criticalSince: UInt64?

  init(status: String, output: String, criticalSince: UInt64? = nil) {
    self.status = status
    self.output = output
    self.criticalSince = criticalSince
  }
}

extension LocalAgent {
  /// Makes a runner for a check.
  ///
  /// - Parameters:
  ///   - memory: what it showed before, which it keeps until the first new result.
  /// - Throws: `scriptsDisabled`, `checkUnsupported`, `checkInvalid`.
  func addition(
    _ registration: CheckRegistration, token: String, origin: CheckOrigin, memory: CheckMemory?
  ) throws(LocalAgentError) -> CheckAddition {
    var addition = CheckAddition(
      check: registration.check, definition: registration.definition,
      token: registration.token.isEmpty ? token : registration.token, origin: origin)
    if let known = memory ?? storedState(of: registration) {
      addition.check.status = known.status
      addition.check.output = settings.discardsCheckOutput ? "" : known.output
      addition.criticalSince = known.criticalSince
    }
    addition.runner = try runner(for: addition.check, definition: registration.definition, origin: origin)
    return addition
  }

  /// What a TTL check reported before the agent was started.
  private func storedState(of registration: CheckRegistration) -> CheckMemory? {
    guard registration.definition.ttl > .zero, let disk else { return nil }
    return disk.store.loadState(ofCheck: registration.check.checkID, now: Self.unixTime).map {
      CheckMemory(status: $0.status, output: $0.output)
    }
  }

  func runner(
    for check: HealthCheck, definition: CheckType, origin: CheckOrigin
  ) throws(LocalAgentError) -> any RunningCheck {
    guard let checkEnvironment else { throw .checkUnsupported("the agent is not ready") }
    do {
      return try makeCheck(
        id: check.checkID, serviceID: check.serviceID, definition: definition, origin: origin,
        initial: CheckStatus(rawValue: check.status) ?? .critical, observer: self, environment: checkEnvironment)
    } catch {
      switch error {
      case .scriptsDisabled: throw .scriptsDisabled(error.description)
      case .osServicesUnsupported: throw .checkUnsupported(error.description)
      default: throw .checkInvalid(error.description)
      }
    }
  }

  /// What the present checks show, to be kept when they are added again.
  func memories() -> [String: CheckMemory] {
    core.withLock { core in
      var memories: [String: CheckMemory] = [:]
      for entry in core.state.presentChecks {
        memories[entry.check.checkID] = CheckMemory(
          status: entry.check.status, output: entry.check.output, criticalSince: entry.criticalSince)
      }
      return memories
    }
  }
}

extension LocalAgent.Core {
  /// Puts a check and its runner in place.
  ///
  /// - Returns: the runner that it replaces, to be stopped.
  mutating func add(_ addition: CheckAddition, now: UInt64) throws(LocalAgentError) -> (any RunningCheck)? {
    try state.put(
      addition.check, definition: addition.definition, token: addition.token, origin: addition.origin,
      now: addition.criticalSince ?? now)
    let id = addition.check.checkID
    let old = runners[id]
    runners[id] = addition.runner
    return old
  }

  mutating func add(_ addition: ServiceAddition, now: UInt64) throws(LocalAgentError) -> [any RunningCheck] {
    state.put(
      addition.service, token: addition.token, origin: addition.origin, managedProxy: addition.managedProxy)
    var replaced: [any RunningCheck] = []
    for check in addition.checks {
      if let old = try add(check, now: now) { replaced.append(old) }
    }
    return replaced
  }

  /// - Returns: the runner, to be stopped.
  mutating func removeCheck(_ id: String) -> (any RunningCheck)? {
    state.removeCheck(id)
    return runners.removeValue(forKey: id)
  }

  /// - Returns: the runners of the service's checks, to be stopped.
  mutating func removeService(_ id: String) -> [any RunningCheck] {
    state.removeService(id).compactMap { runners.removeValue(forKey: $0) }
  }
}
