/// Which services others may use.
public struct ExportedServices: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.exportedServices

  public var common = ConfigEntryFields(kind)
  public var services: [ExportedService] = []

  public init() {}

  public static let schema = Schema<ExportedServices>("structs.ExportedServicesConfigEntry") {
    $0.kind(\.common, .notOnWire)
    $0.name(\.common)
    $0.field("Services", \.services, .omitEmpty)
    $0.history(\.common)
  }
}

/// One service and who may use it.
public struct ExportedService: Record {
  /// `*` is every service.
  public var name = ""
  public var namespace = ""
  public var consumers: [ServiceConsumer] = []

  public init() {}

  public static let schema = Schema<ExportedService>("structs.ExportedService") {
    $0.field("Name", \.name)
    $0.field("Namespace", \.namespace, .omitEmpty)
    $0.field("Consumers", \.consumers, .nullWhenEmpty)
  }
}

/// Who may use a service.
public struct ServiceConsumer: Record {
  public var partition = ""
  public var peer = ""
  public var samenessGroup = ""

  public init() {}

  public static let schema = Schema<ServiceConsumer>("structs.ServiceConsumer") {
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("Peer", \.peer, .omitEmpty, aliases: ["PeerName"])
    $0.field("SamenessGroup", \.samenessGroup, .omitEmpty)
  }
}
