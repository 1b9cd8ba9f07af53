/// The ports of an API gateway.
public struct APIGateway: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.apiGateway

  public var common = ConfigEntryFields(kind)
  public var listeners: [APIGatewayListener] = []
  public var status = GatewayStatus()

  public init() {}

  public static let schema = Schema<APIGateway>("structs.APIGatewayConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Listeners", \.listeners, .nullWhenEmpty)
    $0.field("Status", \.status)
    $0.history(\.common)
  }
}

/// One port of an API gateway.
public struct APIGatewayListener: Record {
  public var name = ""
  public var hostname = ""
  public var port = 0
  /// `http` or `tcp`.
  public var `protocol` = ""
  public var tls = APIGatewayTLS()
  public var override: APIGatewayPolicy?
  public var `default`: APIGatewayPolicy?

  public init() {}

  public static let schema = Schema<APIGatewayListener>("structs.APIGatewayListener") {
    $0.field("Name", \.name)
    $0.field("Hostname", \.hostname)
    $0.field("Port", \.port)
    $0.field("Protocol", \.protocol)
    $0.field("TLS", \.tls)
    $0.field("Override", \.override, .omitEmpty)
    $0.field("Default", \.default, .omitEmpty)
  }
}

/// Certificates and limits of a port.
public struct APIGatewayTLS: Record {
  public var certificates: [ResourceReference] = []
  public var maxVersion = ""
  public var minVersion = ""
  public var cipherSuites: [String] = []

  public init() {}

  public static let schema = Schema<APIGatewayTLS>("structs.APIGatewayTLSConfiguration") {
    $0.field("Certificates", \.certificates, .nullWhenEmpty)
    $0.field("MaxVersion", \.maxVersion)
    $0.field("MinVersion", \.minVersion)
    $0.field("CipherSuites", \.cipherSuites, .nullWhenEmpty)
  }
}

/// What requests must bring.
public struct APIGatewayPolicy: Record {
  public var jwt: GatewayJWTRequirement?

  public init() {}

  public static let schema = Schema<APIGatewayPolicy>("structs.APIGatewayPolicy") {
    $0.field("JWT", \.jwt)
  }
}

/// The commercial edition checks tokens at gateways; here nothing can be asked for.
public struct GatewayJWTRequirement: Record {
  public init() {}

  public static let schema = Schema<GatewayJWTRequirement>("structs.APIGatewayJWTRequirement") { _ in }
}

/// A config entry, or a part of it, that another one means.
public struct ResourceReference: Record {
  public var kind = ""
  public var name = ""
  public var sectionName = ""

  public init() {}

  public static let schema = Schema<ResourceReference>("structs.ResourceReference") {
    $0.field("Kind", \.kind)
    $0.field("Name", \.name)
    $0.field("SectionName", \.sectionName)
  }
}

/// What became of an entry.
public struct GatewayStatus: Record {
  public var conditions: [GatewayCondition] = []

  public init() {}

  public static let schema = Schema<GatewayStatus>("structs.Status") {
    $0.field("Conditions", \.conditions, .nullWhenEmpty)
  }
}

/// One thing that holds of an entry, or does not.
public struct GatewayCondition: Record {
  /// `Accepted`, `Bound`, `Conflicted` or `ResolvedRefs`.
  public var type = ""
  /// `True` or `False`.
  public var status = ""
  public var reason = ""
  public var message = ""
  public var resource: ResourceReference?
  public var lastTransitionTime: Timestamp?

  public init() {}

  public static let schema = Schema<GatewayCondition>("structs.Condition") {
    $0.field("Type", \.type)
    $0.field("Status", \.status)
    $0.field("Reason", \.reason)
    $0.field("Message", \.message)
    $0.field("Resource", \.resource, .omitEmpty)
    $0.field("LastTransitionTime", \.lastTransitionTime, .omitEmpty)
  }
}

/// What of an API gateway is in effect: made by the servers, from the gateway and what is attached to it.
public struct BoundAPIGateway: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.boundAPIGateway

  public var common = ConfigEntryFields(kind)
  public var listeners: [BoundAPIGatewayListener] = []
  /// Which routes lead to a service.
  public var services = BoundServices()

  public init() {}

  public static let schema = Schema<BoundAPIGateway>("structs.BoundAPIGatewayConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Listeners", \.listeners, .nullWhenEmpty)
    $0.field("Services", \.services)
    $0.history(\.common)
  }
}

/// One port and what is attached to it.
public struct BoundAPIGatewayListener: Record {
  public var name = ""
  public var routes: [ResourceReference] = []
  public var certificates: [ResourceReference] = []

  public init() {}

  public static let schema = Schema<BoundAPIGatewayListener>("structs.BoundAPIGatewayListener") {
    $0.field("Name", \.name)
    $0.field("Routes", \.routes, .nullWhenEmpty)
    $0.field("Certificates", \.certificates, .nullWhenEmpty)
  }
}

/// A certificate with its key, kept by the servers.
public struct InlineCertificate: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.inlineCertificate

  public var common = ConfigEntryFields(kind)
  /// PEM
  public var certificate = ""
  /// PEM
  public var privateKey = ""

  public init() {}

  public static let schema = Schema<InlineCertificate>("structs.InlineCertificateConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Certificate", \.certificate)
    $0.field("PrivateKey", \.privateKey)
    $0.history(\.common)
  }
}

/// A certificate with its key, in files of the gateway.
public struct FileSystemCertificate: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.fileSystemCertificate

  public var common = ConfigEntryFields(kind)
  /// A path.
  public var certificate = ""
  /// A path.
  public var privateKey = ""

  public init() {}

  public static let schema = Schema<FileSystemCertificate>("structs.FileSystemCertificateConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Certificate", \.certificate)
    $0.field("PrivateKey", \.privateKey)
    $0.history(\.common)
  }
}
