import Model

/// # Checks
///
/// The runners of health checks: they probe something at an interval, count down a TTL or follow another health, and report
/// every result to an observer. `Core` holds what they decide (thresholds, schedule, outputs) as values without I/O,
/// `Network` the connections they share, `Drivers` one runner per kind.
/// The room owns timers and sockets of running checks, nothing else: it must not know where checks are registered, stored or
/// synchronised, nor who may register them.

/// A check at work. Made by `makeCheck`, it does nothing before `start`.
public protocol RunningCheck: AnyObject, Sendable {
  var id: String { get }
  var kind: CheckKind { get }

  /// Begins to run. May call the observer before it returns. Later calls do nothing.
  func start()

  /// Ends for good and abandons a probe under way. Idempotent, callable from any thread and from within a callback, never
  /// waits. No callback begins afterwards; one that began on another thread just before may still be at work, which an
  /// observer recognises by comparing `from` with the check that it holds under that id.
  func stop()

  /// What the application itself says of its health. Restarts the countdown and calls the observer before it returns.
  ///
  /// - Throws: `CheckError.notTTL` for any other kind of check.
  func setTTL(status: CheckStatus, output: String) throws(CheckError)
}

extension RunningCheck {
  public func setTTL(status: CheckStatus, output: String) throws(CheckError) { throw .notTTL(id: id) }
}

/// Receives results. Called on any thread, for every run that yields one, also when nothing changed since the last.
public protocol CheckObserver: Sendable {
  func checkUpdated(id: String, from check: any RunningCheck, status: CheckStatus, output: String)
}

/// Where a definition came from, which decides whether its scripts may run.
public enum CheckOrigin: Sendable {
  case configurationFile
  case api
}

/// Prepares the runner of a check.
///
/// - Parameters:
///   - id: the id under which results are reported.
///   - serviceID: the service that the check belongs to, or "" for the node.
///   - initial: the status that the check was registered with; alias and TTL checks keep it until they know better.
/// - Throws: what `validate` throws, `scriptsDisabled`, and `osServicesUnsupported`.
public func makeCheck(
  id: String, serviceID: String, definition: CheckType, origin: CheckOrigin, initial: CheckStatus,
  observer: any CheckObserver, environment: CheckEnvironment
) throws(CheckError) -> any RunningCheck {
  let kind = try validate(definition)
  throw .notTTL(id: id)
}
