/// What holds for the whole mesh. The only one is called `mesh`.
public struct MeshDefaults: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.mesh

  public var common = ConfigEntryFields(kind)
  public var transparentProxy = TransparentProxyMeshConfig()
  public var allowEnablingPermissiveMutualTLS = false
  public var validateClusters = false
  public var tls: MeshTLSConfig?
  public var http: MeshHTTPConfig?
  public var peering: PeeringMeshConfig?

  public init() {}

  public static let schema = Schema<MeshDefaults>("structs.MeshConfigEntry") {
    $0.kind(\.common, .notOnWire)
    $0.field("TransparentProxy", \.transparentProxy)
    $0.field("AllowEnablingPermissiveMutualTLS", \.allowEnablingPermissiveMutualTLS, .omitEmpty)
    $0.field("ValidateClusters", \.validateClusters, .omitEmpty)
    $0.field("TLS", \.tls, .omitEmpty)
    $0.field("HTTP", \.http, .omitEmpty)
    $0.field("Peering", \.peering, .omitEmpty)
    $0.history(\.common)
  }
}

/// What transparent proxies let through.
public struct TransparentProxyMeshConfig: Record {
  /// Nothing to whom is not in the mesh.
  public var meshDestinationsOnly = false

  public init() {}

  public static let schema = Schema<TransparentProxyMeshConfig>("structs.TransparentProxyMeshConfig") {
    $0.field("MeshDestinationsOnly", \.meshDestinationsOnly)
  }
}

/// TLS between proxies.
public struct MeshTLSConfig: Record {
  public var incoming: MeshDirectionalTLSConfig?
  public var outgoing: MeshDirectionalTLSConfig?

  public init() {}

  public static let schema = Schema<MeshTLSConfig>("structs.MeshTLSConfig") {
    $0.field("Incoming", \.incoming, .omitEmpty)
    $0.field("Outgoing", \.outgoing, .omitEmpty)
  }
}

/// TLS between proxies, seen from one end.
public struct MeshDirectionalTLSConfig: Record {
  public var tlsMinVersion = ""
  public var tlsMaxVersion = ""
  public var cipherSuites: [String] = []

  public init() {}

  public static let schema = Schema<MeshDirectionalTLSConfig>("structs.MeshDirectionalTLSConfig") {
    $0.field("TLSMinVersion", \.tlsMinVersion, .omitEmpty)
    $0.field("TLSMaxVersion", \.tlsMaxVersion, .omitEmpty)
    $0.field("CipherSuites", \.cipherSuites, .omitEmpty)
  }
}

/// How proxies treat requests.
public struct MeshHTTPConfig: Record {
  public var sanitizeXForwardedClientCert = false
  public var incoming: MeshDirectionalHTTPConfig?

  public init() {}

  public static let schema = Schema<MeshHTTPConfig>("structs.MeshHTTPConfig") {
    $0.field("SanitizeXForwardedClientCert", \.sanitizeXForwardedClientCert, .omitEmpty)
    $0.field("Incoming", \.incoming, .omitEmpty)
  }
}

/// How proxies treat the requests that come in.
public struct MeshDirectionalHTTPConfig: Record {
  public var requestNormalization: RequestNormalization?

  public init() {}

  public static let schema = Schema<MeshDirectionalHTTPConfig>("structs.MeshDirectionalHTTPConfig") {
    $0.field("RequestNormalization", \.requestNormalization, .omitEmpty)
  }
}

/// How the path of a request is put into one form before it is compared with intentions.
public struct RequestNormalization: Record {
  public var insecureDisablePathNormalization = false
  public var mergeSlashes = false
  public var pathWithEscapedSlashesAction = ""
  public var headersWithUnderscoresAction = ""

  public init() {}

  public static let schema = Schema<RequestNormalization>("structs.RequestNormalizationMeshConfig") {
    $0.field("InsecureDisablePathNormalization", \.insecureDisablePathNormalization, .omitEmpty)
    $0.field("MergeSlashes", \.mergeSlashes, .omitEmpty)
    $0.field("PathWithEscapedSlashesAction", \.pathWithEscapedSlashesAction, .omitEmpty)
    $0.field("HeadersWithUnderscoresAction", \.headersWithUnderscoresAction, .omitEmpty)
  }
}

/// How clusters that trust each other connect.
public struct PeeringMeshConfig: Record {
  public var peerThroughMeshGateways = false

  public init() {}

  public static let schema = Schema<PeeringMeshConfig>("structs.PeeringMeshConfig") {
    $0.field("PeerThroughMeshGateways", \.peerThroughMeshGateways, .omitEmpty)
  }
}
