/// The kinds of config entries, by the names that the API gives them.
public enum ConfigEntryKind: String, Sendable, CaseIterable {
  case serviceDefaults = "service-defaults"
  case proxyDefaults = "proxy-defaults"
  case serviceRouter = "service-router"
  case serviceSplitter = "service-splitter"
  case serviceResolver = "service-resolver"
  case ingressGateway = "ingress-gateway"
  case terminatingGateway = "terminating-gateway"
  case serviceIntentions = "service-intentions"
  case mesh = "mesh"
  case exportedServices = "exported-services"
  case samenessGroup = "sameness-group"
  case apiGateway = "api-gateway"
  case boundAPIGateway = "bound-api-gateway"
  case inlineCertificate = "inline-certificate"
  case fileSystemCertificate = "file-system-certificate"
  case httpRoute = "http-route"
  case tcpRoute = "tcp-route"
  case jwtProvider = "jwt-provider"

  public var type: any ConfigEntryRecord.Type {
    switch self {
    case .serviceDefaults: ServiceDefaults.self
    case .proxyDefaults: ProxyDefaults.self
    case .serviceRouter: ServiceRouter.self
    case .serviceSplitter: ServiceSplitter.self
    case .serviceResolver: ServiceResolver.self
    case .ingressGateway: IngressGateway.self
    case .terminatingGateway: TerminatingGateway.self
    case .serviceIntentions: ServiceIntentions.self
    case .mesh: MeshDefaults.self
    case .exportedServices: ExportedServices.self
    case .samenessGroup: SamenessGroup.self
    case .apiGateway: APIGateway.self
    case .boundAPIGateway: BoundAPIGateway.self
    case .inlineCertificate: InlineCertificate.self
    case .fileSystemCertificate: FileSystemCertificate.self
    case .httpRoute: HTTPRoute.self
    case .tcpRoute: TCPRoute.self
    case .jwtProvider: JWTProvider.self
    }
  }

  /// The only name that an entry of the kind can have; nil where names are free.
  public var onlyName: String? {
    switch self {
    case .proxyDefaults: "global"
    case .mesh: "mesh"
    default: nil
    }
  }
}

/// What config entries of all kinds have in common.
public struct ConfigEntryFields: Sendable, Equatable {
  public var kind = ""
  public var name = ""
  public var meta = StringMap()
  /// Of the content: equal entries have equal ones.
  public var hash: UInt64 = 0
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init(_ kind: ConfigEntryKind) {
    self.kind = kind.rawValue
    name = kind == .mesh ? "mesh" : ""
  }
}

/// A record that is a config entry.
public protocol ConfigEntryRecord: Record {
  static var kind: ConfigEntryKind { get }
  var common: ConfigEntryFields { get set }
}

extension ConfigEntryRecord {
  public var name: String {
    get { common.name }
    set { common.name = newValue }
  }
  public var meta: StringMap { common.meta }

  /// An entry with nothing but a name.
  public init(name: String) {
    self.init()
    common.name = name
  }
}

extension SchemaBuilder where Root: ConfigEntryRecord {
  mutating func kind(_ common: WritableKeyPath<Root, ConfigEntryFields>, _ options: FieldOptions = []) {
    field("Kind", common.appending(path: \.kind), options.union(.readOnly))
  }

  mutating func name(_ common: WritableKeyPath<Root, ConfigEntryFields>) {
    field("Name", common.appending(path: \.name))
  }

  mutating func meta(_ common: WritableKeyPath<Root, ConfigEntryFields>) {
    field("Meta", common.appending(path: \.meta), .omitEmpty)
  }

  mutating func indexes(_ common: WritableKeyPath<Root, ConfigEntryFields>) {
    field("Hash", common.appending(path: \.hash), [.omitEmpty, .readOnly])
    field("CreateIndex", common.appending(path: \.createIndex), .readOnly)
    field("ModifyIndex", common.appending(path: \.modifyIndex), .readOnly)
  }

  /// What stands at the end of most kinds.
  mutating func history(_ common: WritableKeyPath<Root, ConfigEntryFields>) {
    meta(common)
    indexes(common)
  }
}

/// A config entry of any kind.
public struct ConfigEntry: Sendable {
  public var record: any ConfigEntryRecord

  public init(_ record: any ConfigEntryRecord) { self.record = record }

  public var kind: ConfigEntryKind { type(of: record).kind }
  public var name: String { record.common.name }
  public var modifyIndex: UInt64 { record.common.modifyIndex }

  public func `as`<Kind: ConfigEntryRecord>(_ kind: Kind.Type) -> Kind? { record as? Kind }

  /// The entry with the hash of its content, which neither its history nor its status is part of. What servers make
  /// themselves has none.
  public func hashed() -> ConfigEntry {
    if kind == .boundAPIGateway { return self }
    var entry = self
    entry.record.common.hash = 0
    entry.record.common.createIndex = 0
    entry.record.common.modifyIndex = 0
    entry.forgetStatus()
    var digest = BLAKE2b(length: 8)
    digest.update(entry.record.messagePack)
    var result = self
    result.record.common.hash = digest.digest().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return result
  }

  /// Forgets what became of the entry: that is for the servers to say.
  public mutating func forgetStatus() {
    switch record {
    case var gateway as APIGateway:
      gateway.status = GatewayStatus()
      record = gateway
    case var route as HTTPRoute:
      route.status = GatewayStatus()
      record = route
    case var route as TCPRoute:
      route.status = GatewayStatus()
      record = route
    default: break
    }
  }
}

extension ConfigEntry: Equatable {
  public static func == (a: ConfigEntry, b: ConfigEntry) -> Bool {
    func equals<Kind: ConfigEntryRecord>(_ record: Kind) -> Bool { b.as(Kind.self) == record }
    return equals(a.record)
  }
}

// MARK: MessagePack (wire/messagepack.md, "Wrapped types")

extension ConfigEntry {
  /// Writes the fields; readers have to know the kind.
  public func encodeFields(_ writer: inout MessagePackWriter) {
    if kind == .proxyDefaults {
      Bytes(record.messagePack).encode(&writer)
    } else {
      record.encode(&writer)
    }
  }

  /// Reads the fields of an entry of a kind.
  public init(_ kind: ConfigEntryKind, from reader: inout MessagePackReader) throws(MessagePackError) {
    var record: any ConfigEntryRecord
    if kind == .proxyDefaults {
      record = try reader.wrapped { (inner) throws(MessagePackError) in try ProxyDefaults(from: &inner) }
    } else {
      record = try kind.type.init(from: &reader)
    }
    record.common.kind = kind.rawValue
    if kind == .mesh { record.common.name = "mesh" }
    self.record = record
  }

  /// Reads a kind and the fields of an entry; nil for the kind of what does not exist.
  public static func read(_ reader: inout MessagePackReader) throws(MessagePackError) -> ConfigEntry? {
    let name = try reader.string()
    if name.isEmpty { return nil }
    guard let kind = ConfigEntryKind(rawValue: name) else { throw reader.mismatch("kind of a config entry") }
    return try ConfigEntry(kind, from: &reader)
  }
}

/// A list of entries shows them as the API does.
extension ConfigEntry {
  public func encodeJSON(_ writer: inout JSONWriter) { record.encodeJSON(&writer, []) }
}
