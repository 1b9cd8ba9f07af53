/// A record behind a reference, for fields that most instances leave empty: it costs one pointer, and all empty ones share
/// nothing at all. Copies share the value; a change makes a new one.
public struct Boxed<Value: Record>: Sendable {
  /// Nil for a record that nobody has set.
  private var row: Row<Value>?

  public init() {}

  public init(_ value: Value) { row = value.isEmptyValue ? nil : Row(value) }

  public var value: Value {
    get { row?.value ?? Value() }
    set { row = newValue.isEmptyValue ? nil : Row(newValue) }
  }
}

extension Boxed: Equatable {
  public static func == (a: Boxed, b: Boxed) -> Bool {
    a.row === b.row || a.row?.value == b.row?.value
  }
}

extension Boxed: FieldValue {
  public var isEmptyValue: Bool { row == nil }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    let inherited = options.intersection(.nullLists)
    if let row {
      row.encodeJSON(&writer, inherited: inherited)
    } else if inherited.isEmpty {
      Value.schema.defaultJSON.withUnsafeBytes { writer.json($0) }
    } else {
      Value().encodeJSON(&writer, inherited)
    }
  }
  public func encode(_ writer: inout MessagePackWriter) {
    if let row { row.encode(&writer) } else { Value().encode(&writer) }
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self.init(try Value(from: &reader)) }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self.init(try Value(from: value, context))
  }
  public var selected: Selected { .record(value) }
  public static var shape: Shape { Value.shape }
}
