/// Which requests at API gateways go to which services.
public struct HTTPRoute: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.httpRoute

  public var common = ConfigEntryFields(kind)
  public var parents: [ResourceReference] = []
  public var rules: [HTTPRouteRule] = []
  public var hostnames: [String] = []
  public var status = GatewayStatus()

  public init() {}

  public static let schema = Schema<HTTPRoute>("structs.HTTPRouteConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Parents", \.parents, .nullWhenEmpty)
    $0.field("Rules", \.rules, .nullWhenEmpty)
    $0.field("Hostnames", \.hostnames, .nullWhenEmpty)
    $0.meta(\.common)
    $0.field("Status", \.status)
    $0.indexes(\.common)
  }
}

/// One rule of a route.
public struct HTTPRouteRule: Record {
  public var filters = HTTPFilters()
  public var responseFilters = HTTPResponseFilters()
  public var matches: [HTTPMatch] = []
  public var services: [HTTPService] = []

  public init() {}

  public static let schema = Schema<HTTPRouteRule>("structs.HTTPRouteRule") {
    $0.field("Filters", \.filters)
    $0.field("ResponseFilters", \.responseFilters)
    $0.field("Matches", \.matches, .nullWhenEmpty)
    $0.field("Services", \.services, .nullWhenEmpty)
  }
}

/// What a request must be like.
public struct HTTPMatch: Record {
  public var headers: [HTTPHeaderMatch] = []
  public var method = ""
  public var path = HTTPPathMatch()
  public var query: [HTTPQueryMatch] = []

  public init() {}

  public static let schema = Schema<HTTPMatch>("structs.HTTPMatch") {
    $0.field("Headers", \.headers, .nullWhenEmpty)
    $0.field("Method", \.method)
    $0.field("Path", \.path)
    $0.field("Query", \.query, .nullWhenEmpty)
  }
}

/// What a header must be like.
public struct HTTPHeaderMatch: Record {
  /// `exact`, `prefix`, `present`, `regex` or `suffix`.
  public var match = ""
  public var name = ""
  public var value = ""

  public init() {}

  public static let schema = Schema<HTTPHeaderMatch>("structs.HTTPHeaderMatch") {
    $0.field("Match", \.match)
    $0.field("Name", \.name)
    $0.field("Value", \.value)
  }
}

/// What the path must be like.
public struct HTTPPathMatch: Record {
  /// `exact`, `prefix` or `regex`.
  public var match = ""
  public var value = ""

  public init() {}

  public static let schema = Schema<HTTPPathMatch>("structs.HTTPPathMatch") {
    $0.field("Match", \.match)
    $0.field("Value", \.value)
  }
}

/// What a parameter of the query must be like.
public struct HTTPQueryMatch: Record {
  /// `exact`, `present` or `regex`.
  public var match = ""
  public var name = ""
  public var value = ""

  public init() {}

  public static let schema = Schema<HTTPQueryMatch>("structs.HTTPQueryMatch") {
    $0.field("Match", \.match)
    $0.field("Name", \.name)
    $0.field("Value", \.value)
  }
}

/// What is done to requests.
public struct HTTPFilters: Record {
  public var headers: [HTTPHeaderFilter] = []
  public var urlRewrite: URLRewrite?
  public var retryFilter: RetryFilter?
  public var timeoutFilter: TimeoutFilter?
  public var jwt: GatewayJWTRequirement?

  public init() {}

  public static let schema = Schema<HTTPFilters>("structs.HTTPFilters") {
    $0.field("Headers", \.headers, .nullWhenEmpty)
    $0.field("URLRewrite", \.urlRewrite)
    $0.field("RetryFilter", \.retryFilter)
    $0.field("TimeoutFilter", \.timeoutFilter)
    $0.field("JWT", \.jwt)
  }
}

/// What is done to answers.
public struct HTTPResponseFilters: Record {
  public var headers: [HTTPHeaderFilter] = []

  public init() {}

  public static let schema = Schema<HTTPResponseFilters>("structs.HTTPResponseFilters") {
    $0.field("Headers", \.headers, .nullWhenEmpty)
  }
}

/// Headers that are added, taken away and replaced.
public struct HTTPHeaderFilter: Record {
  public var add = StringMap()
  public var remove: [String] = []
  public var set = StringMap()

  public init() {}

  public static let schema = Schema<HTTPHeaderFilter>("structs.HTTPHeaderFilter") {
    $0.field("Add", \.add, .nullWhenEmpty)
    $0.field("Remove", \.remove, .nullWhenEmpty)
    $0.field("Set", \.set, .nullWhenEmpty)
  }
}

/// Another path.
public struct URLRewrite: Record {
  public var path = ""

  public init() {}

  public static let schema = Schema<URLRewrite>("structs.URLRewrite") {
    $0.field("Path", \.path)
  }
}

/// When a request is tried again.
public struct RetryFilter: Record {
  public var numRetries: UInt32 = 0
  public var retryOn: [String] = []
  public var retryOnStatusCodes: [UInt32] = []
  public var retryOnConnectFailure = false

  public init() {}

  public static let schema = Schema<RetryFilter>("structs.RetryFilter") {
    $0.field("NumRetries", \.numRetries)
    $0.field("RetryOn", \.retryOn, .nullWhenEmpty)
    $0.field("RetryOnStatusCodes", \.retryOnStatusCodes, .nullWhenEmpty)
    $0.field("RetryOnConnectFailure", \.retryOnConnectFailure)
  }
}

/// How long a request may take.
public struct TimeoutFilter: Record {
  public var requestTimeout = GoDuration.zero
  public var idleTimeout = GoDuration.zero

  public init() {}

  public static let schema = Schema<TimeoutFilter>("structs.TimeoutFilter") {
    $0.field("RequestTimeout", \.requestTimeout)
    $0.field("IdleTimeout", \.idleTimeout)
  }
}

/// One of the services that a rule divides its requests among.
public struct HTTPService: Record {
  public var name = ""
  public var weight = 0
  public var filters = HTTPFilters()
  public var responseFilters = HTTPResponseFilters()

  public init() {}

  public static let schema = Schema<HTTPService>("structs.HTTPService") {
    $0.field("Name", \.name)
    $0.field("Weight", \.weight)
    $0.field("Filters", \.filters)
    $0.field("ResponseFilters", \.responseFilters)
  }
}

/// Which connections at API gateways go to which services.
public struct TCPRoute: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.tcpRoute

  public var common = ConfigEntryFields(kind)
  public var parents: [ResourceReference] = []
  public var services: [TCPService] = []
  public var status = GatewayStatus()

  public init() {}

  public static let schema = Schema<TCPRoute>("structs.TCPRouteConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Parents", \.parents, .nullWhenEmpty)
    $0.field("Services", \.services, .nullWhenEmpty)
    $0.meta(\.common)
    $0.field("Status", \.status)
    $0.indexes(\.common)
  }
}

/// The service that a route leads to.
public struct TCPService: Record {
  public var name = ""

  public init() {}

  public static let schema = Schema<TCPService>("structs.TCPService") {
    $0.field("Name", \.name)
  }
}
