/// A record behind a reference, for fields that most instances leave empty: it costs one pointer, and all empty ones share
/// nothing at all. Copies share the value; a change makes a new one.
public struct Boxed<Value: Record>: Sendable {
  private final class Storage: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }
  private var storage: Storage?

  public init(_ value: Value = Value()) { storage = value.isEmptyValue ? nil : Storage(value) }

  public var value: Value {
    get { storage?.value ?? Value() }
    set { storage = newValue.isEmptyValue ? nil : Storage(newValue) }
  }

}

extension Boxed: Equatable {
  public static func == (a: Boxed, b: Boxed) -> Bool {
    a.storage === b.storage || a.storage?.value == b.storage?.value
  }
}

extension Boxed: FieldValue {
  public var isEmptyValue: Bool { storage == nil }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { value.encodeJSON(&writer, options) }
  public func encode(_ writer: inout MessagePackWriter) { value.encode(&writer) }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self.init(try Value(from: &reader)) }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self.init(try Value(from: value, context))
  }
  public var selected: Selected { .record(value) }
  public static var shape: Shape { Value.shape }
}
