/// Which routes of an API gateway lead to which services.
public struct BoundServices: Sendable, Equatable {
  /// In byte order of their names.
  public private(set) var routes: [(service: String, routes: [ResourceReference])] = []

  public init() {}

  /// The routes that lead to a service.
  public subscript(service: String) -> [ResourceReference] {
    get { routes.first { $0.service == service }?.routes ?? [] }
    set {
      routes.removeAll { $0.service == service }
      guard !newValue.isEmpty else { return }
      let place = routes.firstIndex { bytewiseLess(service, $0.service) } ?? routes.endIndex
      routes.insert((service, newValue), at: place)
    }
  }

  public static func == (a: BoundServices, b: BoundServices) -> Bool {
    a.routes.elementsEqual(b.routes) { $0.service == $1.service && $0.routes == $1.routes }
  }
}

/// On the wire a map whose keys are maps (wire/messagepack.md, "Structs").
extension BoundServices: FieldValue {
  public var isEmptyValue: Bool { routes.isEmpty }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    writer.beginObject()
    for (service, routes) in routes {
      writer.member(service)
      routes.encodeJSON(&writer, options)
    }
    writer.endObject()
  }
  public func encode(_ writer: inout MessagePackWriter) {
    if routes.isEmpty { return writer.null() }
    writer.mapHeader(routes.count)
    for (service, routes) in routes {
      ServiceName(service).encode(&writer)
      routes.encode(&writer)
    }
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self.init()
    guard let count = try reader.mapHeader() else { return }
    try reader.nested { (reader) throws(MessagePackError) in
      for _ in 0..<count {
        let service = try ServiceName(from: &reader)
        self[service.name] = try [ResourceReference](from: &reader)
      }
    }
  }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self.init()
    for (service, routes) in try [String: [ResourceReference]](from: value, context) { self[service] = routes }
  }
  public var selected: Selected { .absent }
  public static var shape: Shape { .hidden }
}
