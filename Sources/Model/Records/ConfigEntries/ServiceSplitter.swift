/// Among which services the requests to one are divided.
public struct ServiceSplitter: ConfigEntryRecord {
  public static let kind = ConfigEntryKind.serviceSplitter

  public var common = ConfigEntryFields(kind)
  public var splits: [ServiceSplit] = []

  public init() {}

  public static let schema = Schema<ServiceSplitter>("structs.ServiceSplitterConfigEntry") {
    $0.kind(\.common)
    $0.name(\.common)
    $0.field("Splits", \.splits, .nullWhenEmpty)
    $0.history(\.common)
  }
}

/// One part of the requests.
public struct ServiceSplit: Record {
  /// Percent, in steps of 0.01.
  public var weight: Float = 0
  /// "" is the service of the splitter.
  public var service = ""
  public var serviceSubset = ""
  public var namespace = ""
  public var partition = ""
  public var requestHeaders: HTTPHeaderModifiers?
  public var responseHeaders: HTTPHeaderModifiers?

  public init() {}

  public static let schema = Schema<ServiceSplit>("structs.ServiceSplit") {
    $0.field("Weight", \.weight)
    $0.field("Service", \.service, .omitEmpty)
    $0.field("ServiceSubset", \.serviceSubset, .omitEmpty)
    $0.field("Namespace", \.namespace, .omitEmpty)
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("RequestHeaders", \.requestHeaders, .omitEmpty)
    $0.field("ResponseHeaders", \.responseHeaders, .omitEmpty)
  }
}
