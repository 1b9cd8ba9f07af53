/// Which instances stand for a service: subsets, redirection, failover, balancing.
public struct ServiceResolver: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.serviceResolver

  public var common = ConfigEntryFields(kind)
  public var connectTimeout = GoDuration.zero
  public var requestTimeout = GoDuration.zero
  /// The subset for callers that ask for none.
  public var defaultSubset = ""
  public var subsets: [String: ServiceResolverSubset] = [:]
  public var redirect: ServiceResolverRedirect?
  /// By subset; `*` is any.
  public var failover: [String: ServiceResolverFailover] = [:]
  public var loadBalancer: LoadBalancer?
  public var prioritizeByLocality: LocalityPreference?

  public init() {}

  public static let schema = Schema<ServiceResolver>("structs.ServiceResolverConfigEntry") {
    $0.field("ConnectTimeout", \.connectTimeout, [.omitEmpty, .durationText])
    $0.field("RequestTimeout", \.requestTimeout, [.omitEmpty, .durationText])
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("DefaultSubset", \.defaultSubset, .omitEmpty)
    $0.field("Subsets", \.subsets, .omitEmpty)
    $0.field("Redirect", \.redirect, .omitEmpty)
    $0.field("Failover", \.failover, .omitEmpty)
    $0.field("LoadBalancer", \.loadBalancer, .omitEmpty)
    $0.field("PrioritizeByLocality", \.prioritizeByLocality, .omitEmpty)
    $0.history(\.common)
  }
}

/// Instances that a filter selects.
public struct ServiceResolverSubset: Record {
  public var filter = ""
  public var onlyPassing = false

  public init() {}

  public static let schema = Schema<ServiceResolverSubset>("structs.ServiceResolverSubset") {
    $0.field("Filter", \.filter, .omitEmpty)
    $0.field("OnlyPassing", \.onlyPassing, .omitEmpty)
  }
}

/// Another service that stands for this one.
public struct ServiceResolverRedirect: Record {
  public var service = ""
  public var serviceSubset = ""
  public var namespace = ""
  public var partition = ""
  public var datacenter = ""
  public var peer = ""
  public var samenessGroup = ""

  public init() {}

  public static let schema = Schema<ServiceResolverRedirect>("structs.ServiceResolverRedirect") {
    $0.field("Service", \.service, .omitEmpty)
    $0.field("ServiceSubset", \.serviceSubset, .omitEmpty)
    $0.field("Namespace", \.namespace, .omitEmpty)
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("Datacenter", \.datacenter, .omitEmpty)
    $0.field("Peer", \.peer, .omitEmpty)
    $0.field("SamenessGroup", \.samenessGroup, .omitEmpty)
  }
}

/// Where to go when no instance is healthy.
public struct ServiceResolverFailover: Record {
  public var service = ""
  public var serviceSubset = ""
  public var namespace = ""
  public var datacenters: [String] = []
  public var targets: [ServiceResolverFailoverTarget] = []
  public var policy: FailoverPolicy?
  public var samenessGroup = ""

  public init() {}

  public static let schema = Schema<ServiceResolverFailover>("structs.ServiceResolverFailover") {
    $0.field("Service", \.service, .omitEmpty)
    $0.field("ServiceSubset", \.serviceSubset, .omitEmpty)
    $0.field("Namespace", \.namespace, .omitEmpty)
    $0.field("Datacenters", \.datacenters, .omitEmpty)
    $0.field("Targets", \.targets, .omitEmpty)
    $0.field("Policy", \.policy, .omitEmpty)
    $0.field("SamenessGroup", \.samenessGroup, .omitEmpty)
  }
}

/// One place to go when no instance is healthy.
public struct ServiceResolverFailoverTarget: Record {
  public var service = ""
  public var serviceSubset = ""
  public var partition = ""
  public var namespace = ""
  public var datacenter = ""
  public var peer = ""

  public init() {}

  public static let schema = Schema<ServiceResolverFailoverTarget>("structs.ServiceResolverFailoverTarget") {
    $0.field("Service", \.service, .omitEmpty)
    $0.field("ServiceSubset", \.serviceSubset, .omitEmpty)
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("Namespace", \.namespace, .omitEmpty)
    $0.field("Datacenter", \.datacenter, .omitEmpty)
    $0.field("Peer", \.peer, .omitEmpty)
  }
}

/// In which order the places of a failover are tried.
public struct FailoverPolicy: Record {
  /// "", `sequential` or `order-by-locality`.
  public var mode = ""
  public var regions: [String] = []

  public init() {}

  public static let schema = Schema<FailoverPolicy>("structs.ServiceResolverFailoverPolicy") {
    $0.field("Mode", \.mode, .omitEmpty)
    $0.field("Regions", \.regions, .omitEmpty)
  }
}

/// Whether near instances come first.
public struct LocalityPreference: Record {
  /// "", `none` or `failover`.
  public var mode = ""

  public init() {}

  public static let schema = Schema<LocalityPreference>("structs.ServiceResolverPrioritizeByLocality") {
    $0.field("Mode", \.mode, .omitEmpty)
  }
}

/// How a proxy chooses one of several instances.
public struct LoadBalancer: Record {
  public var policy = ""
  public var ringHashConfig: RingHashConfig?
  public var leastRequestConfig: LeastRequestConfig?
  public var hashPolicies: [HashPolicy] = []

  public init() {}

  public static let schema = Schema<LoadBalancer>("structs.LoadBalancer") {
    $0.field("Policy", \.policy, .omitEmpty)
    $0.field("RingHashConfig", \.ringHashConfig, .omitEmpty)
    $0.field("LeastRequestConfig", \.leastRequestConfig, .omitEmpty)
    $0.field("HashPolicies", \.hashPolicies, .omitEmpty)
  }
}

/// Settings of the policy `ring_hash`.
public struct RingHashConfig: Record {
  public var minimumRingSize: UInt64 = 0
  public var maximumRingSize: UInt64 = 0

  public init() {}

  public static let schema = Schema<RingHashConfig>("structs.RingHashConfig") {
    $0.field("MinimumRingSize", \.minimumRingSize, .omitEmpty)
    $0.field("MaximumRingSize", \.maximumRingSize, .omitEmpty)
  }
}

/// Settings of the policy `least_request`.
public struct LeastRequestConfig: Record {
  public var choiceCount: UInt32 = 0

  public init() {}

  public static let schema = Schema<LeastRequestConfig>("structs.LeastRequestConfig") {
    $0.field("ChoiceCount", \.choiceCount, .omitEmpty)
  }
}

/// What of a request decides which instance gets it.
public struct HashPolicy: Record {
  /// `header`, `cookie` or `query_parameter`; "" where `sourceIP` counts.
  public var field = ""
  public var fieldValue = ""
  public var cookieConfig: CookieConfig?
  public var sourceIP = false
  /// Whether the policies behind this one are left out when it has an answer.
  public var terminal = false

  public init() {}

  public static let schema = Schema<HashPolicy>("structs.HashPolicy") {
    $0.field("Field", \.field, .omitEmpty)
    $0.field("FieldValue", \.fieldValue, .omitEmpty)
    $0.field("CookieConfig", \.cookieConfig, .omitEmpty)
    $0.field("SourceIP", \.sourceIP, .omitEmpty)
    $0.field("Terminal", \.terminal, .omitEmpty)
  }
}

/// The cookie that a proxy sets for those who come without.
public struct CookieConfig: Record {
  public var session = false
  public var ttl = GoDuration.zero
  public var path = ""

  public init() {}

  public static let schema = Schema<CookieConfig>("structs.CookieConfig") {
    $0.field("Session", \.session, .omitEmpty)
    $0.field("TTL", \.ttl, .omitEmpty)
    $0.field("Path", \.path, .omitEmpty)
  }
}
