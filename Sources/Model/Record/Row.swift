/// A stored record: immutable, shared by reference between versions of the state and the readers of each.
public final class Row<Value: Record>: Sendable {
  public let value: Value

  public init(_ value: Value) { self.value = value }

  /// Where the record lies, valid as long as the row is held: encoders walk it in place.
  ///
  /// A native class instance starts with a header of two words; its first stored property follows at its alignment, which
  /// no record exceeds (Swift ABI, "Type Layout").
  public var address: UnsafePointer<Value> {
    UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
      .advanced(by: 2 * MemoryLayout<UnsafeRawPointer>.size)
      .assumingMemoryBound(to: Value.self)
  }

  public func encodeJSON(_ writer: inout JSONWriter) { encodeJSON(&writer, inherited: []) }

  func encodeJSON(_ writer: inout JSONWriter, inherited: FieldOptions) {
    withExtendedLifetime(self) { Value.schema.encodeJSON(address, &writer, inherited: inherited) }
  }

  public func encode(_ writer: inout MessagePackWriter) {
    withExtendedLifetime(self) { Value.schema.encode(address, &writer) }
  }
}

extension Row: Equatable {
  public static func == (a: Row, b: Row) -> Bool { a === b || a.value == b.value }
}

/// A row is a field like the record it holds, so that lists of rows travel without being copied.
extension Row: FieldValue {
  public var isEmptyValue: Bool { value.isEmptyValue }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    encodeJSON(&writer, inherited: options.intersection(.nullLists))
  }
  public convenience init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self.init(try Value(from: &reader))
  }
  public convenience init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self.init(try Value(from: value, context))
  }
  public var selected: Selected { .record(value) }
  public static var shape: Shape { Value.shape }
}
