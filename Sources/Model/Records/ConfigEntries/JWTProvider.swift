/// Whose tokens count, and where proxies find them and the keys.
public struct JWTProvider: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.jwtProvider

  public var common = ConfigEntryFields(kind)
  public var jsonWebKeySet: JSONWebKeySet?
  public var issuer = ""
  public var audiences: [String] = []
  public var locations: [JWTLocation] = []
  public var forwarding: JWTForwardingConfig?
  /// Seconds.
  public var clockSkewSeconds = 0
  public var cacheConfig: JWTCacheConfig?

  public init() {}

  public static let schema = Schema<JWTProvider>("structs.JWTProviderConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("JSONWebKeySet", \.jsonWebKeySet, .omitEmpty)
    $0.field("Issuer", \.issuer, .omitEmpty)
    $0.field("Audiences", \.audiences, .omitEmpty)
    $0.field("Locations", \.locations, .omitEmpty)
    $0.field("Forwarding", \.forwarding, .omitEmpty)
    $0.field("ClockSkewSeconds", \.clockSkewSeconds, .omitEmpty)
    $0.field("CacheConfig", \.cacheConfig, .omitEmpty)
    $0.history(\.common)
  }
}

/// Where the keys are: with the provider or here.
public struct JSONWebKeySet: Record {
  public var local: LocalJWKS?
  public var remote: RemoteJWKS?

  public init() {}

  public static let schema = Schema<JSONWebKeySet>("structs.JSONWebKeySet") {
    $0.field("Local", \.local, .omitEmpty)
    $0.field("Remote", \.remote, .omitEmpty)
  }
}

/// Keys that are known beforehand.
public struct LocalJWKS: Record {
  /// Base64 of the set.
  public var jwks = ""
  public var filename = ""

  public init() {}

  public static let schema = Schema<LocalJWKS>("structs.LocalJWKS") {
    $0.field("JWKS", \.jwks, .omitEmpty)
    $0.field("Filename", \.filename, .omitEmpty)
  }
}

/// Where proxies fetch the keys.
public struct RemoteJWKS: Record {
  public var uri = ""
  /// Milliseconds.
  public var requestTimeoutMs = 0
  public var cacheDuration = GoDuration.zero
  public var fetchAsynchronously = false
  public var useSNI = false
  public var retryPolicy: JWKSRetryPolicy?
  public var jwksCluster: JWKSCluster?

  public init() {}

  public static let schema = Schema<RemoteJWKS>("structs.RemoteJWKS") {
    $0.field("URI", \.uri, .omitEmpty)
    $0.field("RequestTimeoutMs", \.requestTimeoutMs, .omitEmpty)
    $0.field("CacheDuration", \.cacheDuration, .omitEmpty)
    $0.field("FetchAsynchronously", \.fetchAsynchronously, .omitEmpty)
    $0.field("UseSNI", \.useSNI, .omitEmpty)
    $0.field("RetryPolicy", \.retryPolicy, .omitEmpty)
    $0.field("JWKSCluster", \.jwksCluster, .omitEmpty)
  }
}

/// How proxies connect to the provider.
public struct JWKSCluster: Record {
  public var discoveryType = ""
  public var tlsCertificates: JWKSTLSCertificate?
  public var connectTimeout = GoDuration.zero

  public init() {}

  public static let schema = Schema<JWKSCluster>("structs.JWKSCluster") {
    $0.field("DiscoveryType", \.discoveryType, .omitEmpty)
    $0.field("TLSCertificates", \.tlsCertificates, .omitEmpty)
    $0.field("ConnectTimeout", \.connectTimeout, .omitEmpty)
  }
}

/// Whom proxies trust when they connect to the provider.
public struct JWKSTLSCertificate: Record {
  public var caCertificateProviderInstance: JWKSTLSCertificateProvider?
  public var trustedCA: JWKSTLSTrustedCA?

  public init() {}

  public static let schema = Schema<JWKSTLSCertificate>("structs.JWKSTLSCertificate") {
    $0.field("CaCertificateProviderInstance", \.caCertificateProviderInstance, .omitEmpty)
    $0.field("TrustedCA", \.trustedCA, .omitEmpty)
  }
}

/// A certificate that Envoy has.
public struct JWKSTLSCertificateProvider: Record {
  public var instanceName = ""
  public var certificateName = ""

  public init() {}

  public static let schema = Schema<JWKSTLSCertificateProvider>("structs.JWKSTLSCertProviderInstance") {
    $0.field("InstanceName", \.instanceName, .omitEmpty)
    $0.field("CertificateName", \.certificateName, .omitEmpty)
  }
}

/// Certificates of authorities.
public struct JWKSTLSTrustedCA: Record {
  public var filename = ""
  public var environmentVariable = ""
  public var inlineString = ""
  public var inlineBytes = Bytes()

  public init() {}

  public static let schema = Schema<JWKSTLSTrustedCA>("structs.JWKSTLSCertTrustedCA") {
    $0.field("Filename", \.filename, .omitEmpty)
    $0.field("EnvironmentVariable", \.environmentVariable, .omitEmpty)
    $0.field("InlineString", \.inlineString, .omitEmpty)
    $0.field("InlineBytes", \.inlineBytes, .omitEmpty)
  }
}

/// When a failed fetch is tried again.
public struct JWKSRetryPolicy: Record {
  public var numRetries = 0
  public var retryPolicyBackOff: RetryBackOff?

  public init() {}

  public static let schema = Schema<JWKSRetryPolicy>("structs.JWKSRetryPolicy") {
    $0.field("NumRetries", \.numRetries, .omitEmpty)
    $0.field("RetryPolicyBackOff", \.retryPolicyBackOff, .omitEmpty)
  }
}

/// How long to wait in between.
public struct RetryBackOff: Record {
  public var baseInterval = GoDuration.zero
  public var maxInterval = GoDuration.zero

  public init() {}

  public static let schema = Schema<RetryBackOff>("structs.RetryPolicyBackOff") {
    $0.field("BaseInterval", \.baseInterval, .omitEmpty)
    $0.field("MaxInterval", \.maxInterval, .omitEmpty)
  }
}

/// One place of a request in which a token may be.
public struct JWTLocation: Record {
  public var header: JWTLocationHeader?
  public var queryParam: JWTLocationQueryParam?
  public var cookie: JWTLocationCookie?

  public init() {}

  public static let schema = Schema<JWTLocation>("structs.JWTLocation") {
    $0.field("Header", \.header, .omitEmpty)
    $0.field("QueryParam", \.queryParam, .omitEmpty)
    $0.field("Cookie", \.cookie, .omitEmpty)
  }
}

/// A header.
public struct JWTLocationHeader: Record {
  public var name = ""
  public var valuePrefix = ""
  public var forward = false

  public init() {}

  public static let schema = Schema<JWTLocationHeader>("structs.JWTLocationHeader") {
    $0.field("Name", \.name, .omitEmpty)
    $0.field("ValuePrefix", \.valuePrefix, .omitEmpty)
    $0.field("Forward", \.forward, .omitEmpty)
  }
}

/// A parameter of the query.
public struct JWTLocationQueryParam: Record {
  public var name = ""

  public init() {}

  public static let schema = Schema<JWTLocationQueryParam>("structs.JWTLocationQueryParam") {
    $0.field("Name", \.name, .omitEmpty)
  }
}

/// A cookie.
public struct JWTLocationCookie: Record {
  public var name = ""

  public init() {}

  public static let schema = Schema<JWTLocationCookie>("structs.JWTLocationCookie") {
    $0.field("Name", \.name, .omitEmpty)
  }
}

/// What of a token the service behind gets to see.
public struct JWTForwardingConfig: Record {
  public var headerName = ""
  public var padForwardPayloadHeader = false

  public init() {}

  public static let schema = Schema<JWTForwardingConfig>("structs.JWTForwardingConfig") {
    $0.field("HeaderName", \.headerName, .omitEmpty)
    $0.field("PadForwardPayloadHeader", \.padForwardPayloadHeader)
  }
}

/// How many tokens a proxy remembers.
public struct JWTCacheConfig: Record {
  public var size = 0

  public init() {}

  public static let schema = Schema<JWTCacheConfig>("structs.JWTCacheConfig") {
    $0.field("Size", \.size, .omitEmpty)
  }
}
