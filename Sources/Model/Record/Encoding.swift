extension Schema {
  /// Writes the record at `record` as a JSON object.
  ///
  /// - Parameter inherited: what holds for all fields, because it was said of the field that holds the record.
  func encodeJSON(_ record: UnsafePointer<Root>, _ writer: inout JSONWriter, inherited: FieldOptions = []) {
    writer.beginObject()
    encodeJSONMembers(record, &writer, inherited: inherited)
    writer.endObject()
  }

  /// Writes the members without the braces, so that a caller can add its own.
  func encodeJSONMembers(
    _ record: UnsafePointer<Root>, _ writer: inout JSONWriter, inherited: FieldOptions = []
  ) {
    let base = UnsafeRawPointer(record)
    for field in fields where !field.options.contains(.hiddenInJSON) {
      let place = base + field.offset
      if field.options.contains(.omitEmpty), field.operations.isEmpty(place) { continue }
      writer.member(encodedKey: field.jsonKey)
      field.operations.encodeJSON(place, &writer, field.options.union(inherited))
    }
  }

  /// Writes the record as a MessagePack map, keys in ascending byte order (wire/messagepack.md, "Structs").
  func encode(_ record: UnsafePointer<Root>, _ writer: inout MessagePackWriter) {
    let base = UnsafeRawPointer(record)
    var omitted = 0
    for index in wireOrder where fields[index].options.contains(.omitEmptyOnWire) {
      if fields[index].operations.isEmpty(base + fields[index].offset) { omitted += 1 }
    }
    writer.mapHeader(wireOrder.count - omitted)
    for index in wireOrder {
      let field = fields[index]
      if field.options.contains(.omitEmptyOnWire), field.operations.isEmpty(base + field.offset) { continue }
      writer.raw(field.wireKey)
      field.operations.encode(base + field.offset, &writer)
    }
  }

  /// Whether every field holds its zero value.
  func isEmpty(_ record: UnsafePointer<Root>) -> Bool {
    let base = UnsafeRawPointer(record)
    return fields.allSatisfy { $0.operations.isEmpty(base + $0.offset) }
  }
}

extension Record {
  public var isEmptyValue: Bool {
    withUnsafePointer(to: self) { Self.schema.isEmpty($0) }
  }

  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions = []) {
    withUnsafePointer(to: self) { Self.schema.encodeJSON($0, &writer, inherited: options.intersection(.nullLists)) }
  }

  public func encode(_ writer: inout MessagePackWriter) {
    withUnsafePointer(to: self) { Self.schema.encode($0, &writer) }
  }

  public var selected: Selected { .record(self) }

  public static var shape: Shape { .record(schema.fields) }

  /// The members of this record as JSON, without braces: for answers that add members of their own.
  public func encodeJSONMembers(_ writer: inout JSONWriter) {
    withUnsafePointer(to: self) { Self.schema.encodeJSONMembers($0, &writer) }
  }

  /// This record as JSON text.
  public var json: String {
    var writer = JSONWriter()
    encodeJSON(&writer)
    return String(decoding: writer.finish(), as: UTF8.self)
  }

  /// This record as MessagePack, profile `rpc`.
  public var messagePack: [UInt8] {
    var writer = MessagePackWriter()
    encode(&writer)
    return writer.bytes
  }

  /// What a filter sees under `field`.
  func select(_ field: Field) -> Selected {
    withUnsafePointer(to: self) { field.select(UnsafeRawPointer($0)) }
  }
}
