import Model
import State
import Telemetry

/// Creates a session and answers with its id.
public struct SessionCreate: WriteRequest {
  public static let method = "Session.Apply"
  public static var duration: MetricSample? { ServerMetrics.session }
  static let ttlMaximum = GoDuration.hours(24)

  public var session: Session

  public init(_ session: Session) { self.session = session }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<String> {
    var session = session
    if session.node.isEmpty { throw .invalid("Must provide Node") }
    try context.require(.sessionWrite(session.node))
    switch session.behavior {
    case "": session.behavior = SessionBehavior.release
    case SessionBehavior.release, SessionBehavior.delete: break
    default: throw .invalid("Invalid Behavior setting '\(session.behavior)'")
    }
    try Self.checkTTL(session.ttl, minimum: context.sessionTTLMinimum)
    repeat {
      session.id = Identifier.random()
    } while context.state.session(session.id).value != nil
    var request = SessionRequest()
    request.datacenter = context.datacenter
    request.op = "create"
    request.session = session
    let id = session.id
    return .command(Command.session(request)) { (result) throws(ServerError) in
      _ = try result.success(prefix: "apply failed: ")
      return id
    }
  }

  static func checkTTL(_ text: String, minimum: GoDuration) throws(ServerError) {
    guard !text.isEmpty else { return }
    guard let ttl = GoDuration(text) else {
      throw .invalid("Session TTL '\(text)' invalid: \(GoDuration.reason(text))")
    }
    if ttl != .zero, ttl < minimum || ttl > ttlMaximum {
      throw .invalid("Invalid Session TTL '\(ttl.nanoseconds)', must be between [\(minimum)=\(ttlMaximum)]")
    }
  }
}

/// Ends a session. One that does not exist is no error.
public struct SessionDestroy: WriteRequest {
  public static let method = "Session.Apply"
  public static var duration: MetricSample? { ServerMetrics.session }
  public var id: String

  public init(id: String) { self.id = id }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    if id.isEmpty { throw .invalid("Must provide ID") }
    guard let session = context.state.session(id).value?.value else { return .immediate(true) }
    try context.require(.sessionWrite(session.node))
    return .command(Self.command(id: id, datacenter: context.datacenter)) { (result) throws(ServerError) in
      try result.success(prefix: "apply failed: ")
    }
  }

  static func command(id: String, datacenter: String) -> Command {
    var request = SessionRequest()
    request.datacenter = datacenter
    request.op = "destroy"
    request.session.id = id
    return .session(request)
  }
}

/// Starts the time of a session anew. Answers nil when there is no such session.
public struct SessionRenew: WriteRequest {
  public static let method = "Session.Renew"
  public static var duration: MetricSample? { ServerMetrics.sessionRenewal }
  public var id: String

  public init(id: String) { self.id = id }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Row<Session>?> {
    guard let session = context.state.session(id).value else { return .immediate(nil) }
    try context.require(.sessionWrite(session.value.node))
    guard context.renewSession(session) else { return .immediate(nil) }
    return .immediate(session)
  }
}
