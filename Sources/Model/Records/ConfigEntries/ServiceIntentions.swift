/// Who may call a service.
public struct ServiceIntentions: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.serviceIntentions

  public var common = ConfigEntryFields(kind)
  public var jwt: IntentionJWTRequirement?
  public var sources: [SourceIntention] = []

  public init() {}

  public static let schema = Schema<ServiceIntentions>("structs.ServiceIntentionsConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("JWT", \.jwt, .omitEmpty)
    $0.field("Sources", \.sources, .nullWhenEmpty)
    $0.history(\.common)
  }
}

/// What holds for one source.
public struct SourceIntention: Record {
  /// The service; `*` is any.
  public var name = ""
  /// `allow` or `deny`; "" where there are permissions.
  public var action = ""
  public var permissions: [IntentionPermission] = []
  /// How exact source and destination are named: the higher is asked first.
  public var precedence = 0
  /// The id of an intention that was written by the older endpoints.
  public var legacyID = ""
  /// `consul`.
  public var type = ""
  public var description = ""
  public var legacyMeta = StringMap()
  public var legacyCreateTime: Timestamp?
  public var legacyUpdateTime: Timestamp?
  public var peer = ""
  public var samenessGroup = ""

  public init() {}

  public static let schema = Schema<SourceIntention>("structs.SourceIntention") {
    $0.field("Name", \.name)
    $0.field("Action", \.action, .omitEmpty)
    $0.field("Permissions", \.permissions, .omitEmpty)
    $0.field("Precedence", \.precedence)
    $0.field("LegacyID", \.legacyID, .omitEmpty)
    $0.field("Type", \.type)
    $0.field("Description", \.description, .omitEmpty)
    $0.field("LegacyMeta", \.legacyMeta, .omitEmpty)
    $0.field("LegacyCreateTime", \.legacyCreateTime, .omitEmpty)
    $0.field("LegacyUpdateTime", \.legacyUpdateTime, .omitEmpty)
    $0.field("Peer", \.peer, .omitEmpty)
    $0.field("SamenessGroup", \.samenessGroup, .omitEmpty)
  }
}

/// What is allowed or denied to requests that match.
public struct IntentionPermission: Record {
  public var action = ""
  public var http: IntentionHTTPPermission?
  public var jwt: IntentionJWTRequirement?

  public init() {}

  public static let schema = Schema<IntentionPermission>("structs.IntentionPermission") {
    $0.field("Action", \.action)
    $0.field("HTTP", \.http, .omitEmpty)
    $0.field("JWT", \.jwt, .omitEmpty)
  }
}

/// What a request must be like.
public struct IntentionHTTPPermission: Record {
  public var pathExact = ""
  public var pathPrefix = ""
  public var pathRegex = ""
  public var header: [IntentionHTTPHeaderPermission] = []
  public var methods: [String] = []

  public init() {}

  public static let schema = Schema<IntentionHTTPPermission>("structs.IntentionHTTPPermission") {
    $0.field("PathExact", \.pathExact, .omitEmpty)
    $0.field("PathPrefix", \.pathPrefix, .omitEmpty)
    $0.field("PathRegex", \.pathRegex, .omitEmpty)
    $0.field("Header", \.header, .omitEmpty)
    $0.field("Methods", \.methods, .omitEmpty)
  }
}

/// What a header must be like.
public struct IntentionHTTPHeaderPermission: Record {
  public var name = ""
  public var present = false
  public var exact = ""
  public var prefix = ""
  public var suffix = ""
  public var contains = ""
  public var regex = ""
  public var invert = false
  public var ignoreCase = false

  public init() {}

  public static let schema = Schema<IntentionHTTPHeaderPermission>("structs.IntentionHTTPHeaderPermission") {
    $0.field("Name", \.name)
    $0.field("Present", \.present, .omitEmpty)
    $0.field("Exact", \.exact, .omitEmpty)
    $0.field("Prefix", \.prefix, .omitEmpty)
    $0.field("Suffix", \.suffix, .omitEmpty)
    $0.field("Contains", \.contains, .omitEmpty)
    $0.field("Regex", \.regex, .omitEmpty)
    $0.field("Invert", \.invert, .omitEmpty)
    $0.field("IgnoreCase", \.ignoreCase, .omitEmpty)
  }
}

/// Whose tokens a caller must bring.
public struct IntentionJWTRequirement: Record {
  public var providers: [IntentionJWTProvider] = []

  public init() {}

  public static let schema = Schema<IntentionJWTRequirement>("structs.IntentionJWTRequirement") {
    $0.field("Providers", \.providers, .omitEmpty)
  }
}

/// What a token of one provider must say.
public struct IntentionJWTProvider: Record {
  public var name = ""
  public var verifyClaims: [IntentionJWTClaimVerification] = []

  public init() {}

  public static let schema = Schema<IntentionJWTProvider>("structs.IntentionJWTProvider") {
    $0.field("Name", \.name, .omitEmpty)
    $0.field("VerifyClaims", \.verifyClaims, .omitEmpty)
  }
}

/// What one claim must be.
public struct IntentionJWTClaimVerification: Record {
  public var path: [String] = []
  public var value = ""

  public init() {}

  public static let schema = Schema<IntentionJWTClaimVerification>("structs.IntentionJWTClaimVerification") {
    $0.field("Path", \.path, .omitEmpty)
    $0.field("Value", \.value, .omitEmpty)
  }
}
