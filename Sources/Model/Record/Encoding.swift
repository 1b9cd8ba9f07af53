extension EncodingPlan {
  /// Writes the record at `record` as a JSON object.
  func encodeJSON(_ record: UnsafeRawPointer, _ writer: inout JSONWriter, inherited: FieldOptions = []) {
    writer.beginObject()
    encodeJSONMembers(record, &writer, inherited: inherited)
    writer.endObject()
  }

  func encodeJSONMembers(_ record: UnsafeRawPointer, _ writer: inout JSONWriter, inherited: FieldOptions) {
    forEach { $0.pointee.encodeJSON(record, &writer, inherited) }
  }
}

extension Schema {
  /// Writes the record at `record` as a JSON object.
  ///
  /// - Parameter inherited: what holds for all fields, because it was said of the field that holds the record.
  func encodeJSON(_ record: UnsafePointer<Root>, _ writer: inout JSONWriter, inherited: FieldOptions = []) {
    jsonPlan.encodeJSON(record, &writer, inherited: inherited)
  }

  /// Writes the members without the braces, so that a caller can add its own.
  func encodeJSONMembers(_ record: UnsafePointer<Root>, _ writer: inout JSONWriter) {
    jsonPlan.encodeJSONMembers(record, &writer, inherited: [])
  }

  /// Writes the record as a MessagePack map, keys in ascending byte order (wire/messagepack.md, "Structs").
  func encode(_ record: UnsafePointer<Root>, _ writer: inout MessagePackWriter) {
    var count = wirePlan.count
    if hasOmissions { wirePlan.forEach { if $0.pointee.isOmittedOnWire(record) { count -= 1 } } }
    writer.mapHeader(count)
    wirePlan.forEach { $0.pointee.encode(record, &writer) }
  }

  /// Whether every field holds its zero value.
  func isEmpty(_ record: UnsafePointer<Root>) -> Bool {
    let base = UnsafeRawPointer(record)
    return fields.withUnsafeBufferPointer { fields in
      fields.indices.allSatisfy { fields[$0].isEmpty(base) }
    }
  }
}

extension Field {
  func isEmpty(_ base: UnsafeRawPointer) -> Bool { operations.isEmpty(base + offset) }
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
