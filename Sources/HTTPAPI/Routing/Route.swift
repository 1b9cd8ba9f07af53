import AccessControl
import Telemetry

/// What an endpoint does for one method.
struct Route: Sendable {
  typealias Handler = @Sendable (API, inout Request, Exchange) throws(HTTPError) -> Void

  /// Which right a request needs. Every route says it; the gate asks before the handler runs, and an exchange whose right was
  /// never asked for refuses to answer.
  enum Authorisation: Sendable {
    /// None: facts that everyone may know.
    case open
    /// One that the request's path and parameters name. Nil leaves the question to the handler, as `asks` does.
    case requires(@Sendable (API, borrowing Request) -> Permission?)
    /// The handler asks `Exchange.rights`: per element of a list, or for what the body names.
    case asks
    /// The servers ask, where they carry the request out. The closure names what they will ask for, as far as the request's
    /// line tells it, for those who want it explained.
    case servers(@Sendable (API, borrowing Request) -> Permission?)

    static let servers = Authorisation.servers { _, _ in nil }
  }

  /// How many bytes a body may have.
  enum BodyLimit: Sendable { case standard, value, transaction, snapshot }

  let method: HTTPMethod
  let authorisation: Authorisation
  let bodyLimit: BodyLimit
  /// Whether the path's `Allow` header names the method. A route that only refuses in its own words is not offered.
  let isOffered: Bool
  let handler: Handler
  /// What a request with a token that does not exist gets, where that is not the usual refusal.
  let unknownToken: HTTPError?
  /// Where the time that requests take is recorded; known once the route has a path.
  fileprivate(set) var duration: MetricSample?

  init(
    _ method: HTTPMethod, _ authorisation: Authorisation, bodyLimit: BodyLimit = .standard, isOffered: Bool = true,
    unknownToken: HTTPError? = nil, _ handler: @escaping Handler
  ) {
    self.unknownToken = unknownToken
    self.method = method
    self.authorisation = authorisation
    self.bodyLimit = bodyLimit
    self.isOffered = isOffered
    self.handler = handler
  }
}

/// The routes of one path.
struct Endpoint: Sendable {
  struct Traits: OptionSet, Sendable {
    let rawValue: UInt8
    /// A failed read carries the `X-Consul-…` headers of an answer from nowhere.
    static let metaOnFailure = Traits(rawValue: 1 << 0)
    /// Answers tell how the read was made.
    static let consistency = Traits(rawValue: 1 << 1)
    /// Namespaces and partitions are not looked at.
    static let ignoresNamespace = Traits(rawValue: 1 << 2)
  }

  /// A path under `/v1/`. One that ends with a slash stands for everything below it.
  let path: String
  let traits: Traits
  let routes: [Route]
  /// The value of the `Allow` header.
  let allow: String

  init(_ path: String, _ traits: Traits = [], _ routes: Route...) {
    self.path = path
    self.traits = traits
    self.routes = routes.map { route in
      var route = route
      route.duration = RequestMetrics.duration(route.method, path)
      return route
    }
    allow = (["OPTIONS"] + routes.filter(\.isOffered).map(\.method.name)).joined(separator: ",")
  }

  func route(_ method: HTTPMethod) -> Route? { routes.first { $0.method == method } }
}
