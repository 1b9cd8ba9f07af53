/// Which requests to a service go where.
public struct ServiceRouter: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.serviceRouter

  public var common = ConfigEntryFields(kind)
  /// The first that matches counts; the service itself takes the rest.
  public var routes: [ServiceRoute] = []

  public init() {}

  public static let schema = Schema<ServiceRouter>("structs.ServiceRouterConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Routes", \.routes, .nullWhenEmpty)
    $0.history(\.common)
  }
}

/// One rule of a router.
public struct ServiceRoute: Record {
  public var match: ServiceRouteMatch?
  public var destination: ServiceRouteDestination?

  public init() {}

  public static let schema = Schema<ServiceRoute>("structs.ServiceRoute") {
    $0.field("Match", \.match, .omitEmpty)
    $0.field("Destination", \.destination, .omitEmpty)
  }
}

/// Which requests a route is for.
public struct ServiceRouteMatch: Record {
  public var http: ServiceRouteHTTPMatch?

  public init() {}

  public static let schema = Schema<ServiceRouteMatch>("structs.ServiceRouteMatch") {
    $0.field("HTTP", \.http, .omitEmpty)
  }
}

/// What a request must be like, in every respect that is given.
public struct ServiceRouteHTTPMatch: Record {
  public var pathExact = ""
  public var pathPrefix = ""
  public var pathRegex = ""
  public var caseInsensitive = false
  public var header: [ServiceRouteHTTPMatchHeader] = []
  public var queryParam: [ServiceRouteHTTPMatchQueryParam] = []
  public var methods: [String] = []

  public init() {}

  public static let schema = Schema<ServiceRouteHTTPMatch>("structs.ServiceRouteHTTPMatch") {
    $0.field("PathExact", \.pathExact, .omitEmpty)
    $0.field("PathPrefix", \.pathPrefix, .omitEmpty)
    $0.field("PathRegex", \.pathRegex, .omitEmpty)
    $0.field("CaseInsensitive", \.caseInsensitive, .omitEmpty)
    $0.field("Header", \.header, .omitEmpty)
    $0.field("QueryParam", \.queryParam, .omitEmpty)
    $0.field("Methods", \.methods, .omitEmpty)
  }
}

/// What a header must be like.
public struct ServiceRouteHTTPMatchHeader: Record {
  public var name = ""
  public var present = false
  public var exact = ""
  public var prefix = ""
  public var suffix = ""
  public var regex = ""
  public var invert = false

  public init() {}

  public static let schema = Schema<ServiceRouteHTTPMatchHeader>("structs.ServiceRouteHTTPMatchHeader") {
    $0.field("Name", \.name)
    $0.field("Present", \.present, .omitEmpty)
    $0.field("Exact", \.exact, .omitEmpty)
    $0.field("Prefix", \.prefix, .omitEmpty)
    $0.field("Suffix", \.suffix, .omitEmpty)
    $0.field("Regex", \.regex, .omitEmpty)
    $0.field("Invert", \.invert, .omitEmpty)
  }
}

/// What a parameter of the query must be like.
public struct ServiceRouteHTTPMatchQueryParam: Record {
  public var name = ""
  public var present = false
  public var exact = ""
  public var regex = ""

  public init() {}

  public static let schema = Schema<ServiceRouteHTTPMatchQueryParam>("structs.ServiceRouteHTTPMatchQueryParam") {
    $0.field("Name", \.name)
    $0.field("Present", \.present, .omitEmpty)
    $0.field("Exact", \.exact, .omitEmpty)
    $0.field("Regex", \.regex, .omitEmpty)
  }
}

/// Where a route leads, and how.
public struct ServiceRouteDestination: Record {
  public var requestTimeout = GoDuration.zero
  public var idleTimeout = GoDuration.zero
  /// "" is the service of the router.
  public var service = ""
  public var serviceSubset = ""
  public var namespace = ""
  public var partition = ""
  public var prefixRewrite = ""
  public var numRetries: UInt32 = 0
  public var retryOnConnectFailure = false
  public var retryOn: [String] = []
  public var retryOnStatusCodes: [UInt32] = []
  public var requestHeaders: HTTPHeaderModifiers?
  public var responseHeaders: HTTPHeaderModifiers?

  public init() {}

  public static let schema = Schema<ServiceRouteDestination>("structs.ServiceRouteDestination") {
    $0.field("RequestTimeout", \.requestTimeout, [.omitEmpty, .durationText])
    $0.field("IdleTimeout", \.idleTimeout, [.omitEmpty, .durationText])
    $0.field("Service", \.service, .omitEmpty)
    $0.field("ServiceSubset", \.serviceSubset, .omitEmpty)
    $0.field("Namespace", \.namespace, .omitEmpty)
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("PrefixRewrite", \.prefixRewrite, .omitEmpty)
    $0.field("NumRetries", \.numRetries, .omitEmpty)
    $0.field("RetryOnConnectFailure", \.retryOnConnectFailure, .omitEmpty)
    $0.field("RetryOn", \.retryOn, .omitEmpty)
    $0.field("RetryOnStatusCodes", \.retryOnStatusCodes, .omitEmpty)
    $0.field("RequestHeaders", \.requestHeaders, .omitEmpty)
    $0.field("ResponseHeaders", \.responseHeaders, .omitEmpty)
  }
}

/// Headers that a proxy adds, replaces and takes away.
public struct HTTPHeaderModifiers: Record {
  public var add = StringMap()
  public var set = StringMap()
  public var remove: [String] = []

  public init() {}

  public static let schema = Schema<HTTPHeaderModifiers>("structs.HTTPHeaderModifiers") {
    $0.field("Add", \.add, .omitEmpty)
    $0.field("Set", \.set, .omitEmpty)
    $0.field("Remove", \.remove, .omitEmpty)
  }
}
