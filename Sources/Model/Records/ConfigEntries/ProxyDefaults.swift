/// What holds for all proxies of the mesh. The only one is called `global`.
public struct ProxyDefaults: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.proxyDefaults

  public var common = ConfigEntryFields(kind)
  /// What proxies are told beside what has a name of its own.
  public var config = DynamicMap()
  public var mode = ""
  public var transparentProxy = TransparentProxyConfig()
  public var mutualTLSMode = ""
  public var meshGateway = MeshGatewayConfig()
  public var expose = ExposeConfig()
  public var accessLogs = AccessLogsConfig()
  public var envoyExtensions: [EnvoyExtension] = []
  public var failoverPolicy: FailoverPolicy?
  public var prioritizeByLocality: LocalityPreference?
  public var `protocol` = ""

  public init() {}

  public static let schema = Schema<ProxyDefaults>("structs.ProxyConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Config", \.config, .nullWhenEmpty)
    $0.field("Mode", \.mode, .omitEmpty)
    $0.field("TransparentProxy", \.transparentProxy)
    $0.field("MutualTLSMode", \.mutualTLSMode, .omitEmpty)
    $0.field("MeshGateway", \.meshGateway)
    $0.field("Expose", \.expose)
    $0.field("AccessLogs", \.accessLogs)
    $0.field("EnvoyExtensions", \.envoyExtensions, .omitEmpty)
    $0.field("FailoverPolicy", \.failoverPolicy, .omitEmpty)
    $0.field("PrioritizeByLocality", \.prioritizeByLocality, .omitEmpty)
    $0.field("Protocol", \.protocol, .hiddenInJSON)
    $0.history(\.common)
  }
}
