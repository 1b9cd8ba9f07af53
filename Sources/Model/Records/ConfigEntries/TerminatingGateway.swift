/// Which services outside the mesh a terminating gateway stands for.
public struct TerminatingGateway: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.terminatingGateway

  public var common = ConfigEntryFields(kind)
  public var services: [LinkedService] = []

  public init() {}

  public static let schema = Schema<TerminatingGateway>("structs.TerminatingGatewayConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Services", \.services, .nullWhenEmpty)
    $0.history(\.common)
  }
}

/// One service outside the mesh.
public struct LinkedService: Record {
  /// `*` is every service that is not in the mesh.
  public var name = ""
  public var caFile = ""
  public var certFile = ""
  public var keyFile = ""
  public var sni = ""
  public var disableAutoHostRewrite = false

  public init() {}

  public static let schema = Schema<LinkedService>("structs.LinkedService") {
    $0.field("Name", \.name, .omitEmpty)
    $0.field("CAFile", \.caFile, .omitEmpty)
    $0.field("CertFile", \.certFile, .omitEmpty)
    $0.field("KeyFile", \.keyFile, .omitEmpty)
    $0.field("SNI", \.sni, .omitEmpty)
    $0.field("DisableAutoHostRewrite", \.disableAutoHostRewrite, .omitEmpty)
  }
}
