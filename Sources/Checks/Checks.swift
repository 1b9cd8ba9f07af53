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
///   - initial: the status that the check was registered with; the log tells of changes from it.
/// - Throws: what `validate` throws, `scriptsDisabled`, and `osServicesUnsupported`.
public func makeCheck(
  id: String, serviceID: String, definition: CheckType, origin: CheckOrigin, initial: CheckStatus,
  observer: any CheckObserver, environment: CheckEnvironment
) throws(CheckError) -> any RunningCheck {
  let kind = try validate(definition)
  if kind == .script || kind == .docker, !environment.allowsScripts(origin) { throw .scriptsDisabled(origin) }
  let ownLimit = definition.outputMaxSize
  let outputLimit = max(1, ownLimit > 0 ? min(ownLimit, environment.outputMaxSize) : environment.outputMaxSize)
  if kind == .alias { return AliasCheck(id: id, definition: definition, observer: observer, environment: environment) }
  guard let probe = try makeProbe(kind, definition, outputLimit: outputLimit, environment) else {
    return TTLCheck(
      id: id, definition: definition, outputLimit: outputLimit, observer: observer, environment: environment)
  }
  return IntervalCheck(
    id: id, serviceID: serviceID, kind: kind, probe: probe, definition: definition, initial: initial,
    observer: observer,
    environment: environment)
}

/// The probe of a kind of check; nil for those that do not probe.
func makeProbe(
  _ kind: CheckKind, _ definition: CheckType, outputLimit: Int, _ environment: CheckEnvironment
) throws(CheckError) -> (any Probe)? {
  let timeout = CheckSchedule(definition, kind: kind).timeout
  let dialer = Dialer(contexts: environment.tls)
  let tls = TLSWish(skipsVerification: definition.tlsSkipVerify, serverName: definition.tlsServerName)
  var http2 = tls
  http2.offersHTTP2 = true
  switch kind {
  case .http:
    return HTTPProbe(
      url: definition.target(http: true), method: definition.method.isEmpty ? "GET" : definition.method,
      headers: definition.header, body: definition.body, followsRedirects: !definition.disableRedirects, tls: tls,
      timeout: timeout, outputLimit: outputLimit, dialer: dialer)
  case .grpc:
    return GRPCProbe(
      target: definition.target(http: false), tls: definition.grpcUseTLS ? http2 : nil, timeout: timeout, dialer: dialer
    )
  case .h2ping:
    return H2PingProbe(
      address: definition.h2ping, tls: definition.h2pingUseTLS ?? true ? http2 : nil, timeout: timeout, dialer: dialer)
  case .tcp:
    return TCPProbe(address: definition.tcp, tls: definition.tcpUseTLS ? tls : nil, timeout: timeout, dialer: dialer)
  case .udp: return UDPProbe(address: definition.udp, timeout: timeout)
  case .docker:
    return DockerProbe(
      container: definition.dockerContainerID, arguments: definition.scriptArgs, daemon: environment.dockerHost,
      timeout: timeout, outputLimit: outputLimit, dialer: dialer)
  case .osService:
    guard OSServiceProbe.isSupported else { throw .osServicesUnsupported }
    return OSServiceProbe(service: definition.osService, timeout: timeout)
  case .script: return ScriptProbe(arguments: definition.scriptArgs, timeout: timeout, outputLimit: outputLimit)
  case .ttl, .alias: return nil
  }
}
