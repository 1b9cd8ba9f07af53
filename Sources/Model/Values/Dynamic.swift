/// A value without a fixed shape: what JSON and HCL texts say, and the opaque `Config` of records.
public indirect enum Dynamic: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  /// A whole number above `Int64.max`.
  case uint(UInt64)
  case double(Double)
  case string(String)
  case array([Dynamic])
  case object(DynamicObject)
}

/// The members of an object in the order in which they were written.
public struct DynamicObject: Sendable, Sequence {
  public private(set) var members: [(key: String, value: Dynamic)] = []

  public init() {}
  public init(_ members: [(key: String, value: Dynamic)]) { self.members = members }

  public var isEmpty: Bool { members.isEmpty }
  public var count: Int { members.count }
  public func makeIterator() -> IndexingIterator<[(key: String, value: Dynamic)]> { members.makeIterator() }

  /// Adds a member at the end, without looking for one of the same name.
  public mutating func append(_ key: String, _ value: Dynamic) { members.append((key, value)) }

  /// The last value of that exact name: the one that wins where a text names it twice.
  public subscript(key: String) -> Dynamic? {
    get { members.last { $0.key == key }?.value }
    set {
      members.removeAll { $0.key == key }
      if let newValue { members.append((key, newValue)) }
    }
  }
}

extension Dynamic: Equatable {
  /// Numbers compare by value (1000 equals 1000.0), objects without regard to order.
  public static func == (a: Dynamic, b: Dynamic) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)):
      a.count == b.count && a.allSatisfy { member in b[member.key].map { $0 == member.value } ?? false }
    case (.int(let a), .int(let b)): a == b
    case (.uint(let a), .uint(let b)): a == b
    default:
      if let a = a.number, let b = b.number { a == b } else { false }
    }
  }

  private var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .uint(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}

extension Dynamic: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Dynamic...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, Dynamic)...) {
    self = .object(DynamicObject(elements.map { (key: $0.0, value: $0.1) }))
  }
}

extension Dynamic {
  /// Reads JSON text that holds one value.
  public init(json bytes: [UInt8]) throws(JSONError) {
    let result: Result<Dynamic, JSONError> = bytes.withUnsafeBytes { Self.parse($0) }
    self = try result.get()
  }

  public init(json text: UnsafeRawBufferPointer) throws(JSONError) {
    self = try Self.parse(text).get()
  }

  /// Reads the first value of a text and ignores what follows it, as a decoder of streams does.
  public init(firstJSON text: UnsafeRawBufferPointer) throws(JSONError) {
    var parser = JSONParser(text)
    self = try parser.first()
  }

  private static func parse(_ text: UnsafeRawBufferPointer) -> Result<Dynamic, JSONError> {
    do throws(JSONError) {
      var parser = JSONParser(text)
      return .success(try parser.document())
    } catch {
      return .failure(error)
    }
  }

  /// The members of an object, else nil.
  public var object: DynamicObject? { if case .object(let members) = self { members } else { nil } }
  public var array: [Dynamic]? { if case .array(let elements) = self { elements } else { nil } }
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  public var int: Int64? {
    switch self {
    case .int(let value): value
    case .double(let value): Int64(exactly: value)
    default: nil
    }
  }
  public var uint: UInt64? {
    switch self {
    case .int(let value): UInt64(exactly: value)
    case .uint(let value): value
    case .double(let value): UInt64(exactly: value)
    default: nil
    }
  }
  public subscript(key: String) -> Dynamic? { object?[key] }

  /// This value as compact JSON; object members in byte order of their names, as Go writes maps.
  public var json: String {
    var writer = JSONWriter()
    encodeJSON(&writer, [])
    return String(decoding: writer.finish(), as: UTF8.self)
  }

  /// What JSON decoders call the type.
  var jsonTypeName: String {
    switch self {
    case .null: "null"
    case .bool: "bool"
    case .int, .uint, .double: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  /// Scalars as text, as configuration files may write them; nil for lists and objects.
  var weakText: String? {
    switch self {
    case .string(let text): text
    case .int(let value): String(value)
    case .uint(let value): String(value)
    case .double(let value): goText(value)
    case .bool(let flag): flag ? "1" : "0"
    case .null: ""
    case .array, .object: nil
    }
  }

  /// Blocks of configuration files are lists of objects; where one object is wanted, a list of one is that object.
  func unwrappedBlock(_ context: DecodingContext) -> Dynamic {
    guard context.style == .configuration, case .array(let elements) = self, elements.count == 1 else { return self }
    return elements[0]
  }
}

extension Dynamic: FieldValue {
  public var isEmptyValue: Bool {
    switch self {
    case .null: true
    case .object(let members): members.isEmpty
    case .array(let elements): elements.isEmpty
    default: false
    }
  }

  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    switch self {
    case .null: writer.null()
    case .bool(let flag): writer.bool(flag)
    case .int(let value): writer.integer(value)
    case .uint(let value): writer.integer(value)
    case .double(let value): writer.double(value)
    case .string(let text): writer.string(text)
    case .array(let elements): writer.array(elements) { $1.encodeJSON(&$0, []) }
    case .object(let members):
      writer.beginObject()
      for (key, value) in members.sorted(by: { bytewiseLess($0.key, $1.key) }) {
        writer.member(key)
        value.encodeJSON(&writer, [])
      }
      writer.endObject()
    }
  }

  public func encode(_ writer: inout MessagePackWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let flag): writer.bool(flag)
    case .int(let value): writer.integer(value)
    case .uint(let value): writer.integer(value)
    case .double(let value): writer.double(value)
    case .string(let text): writer.string(text)
    case .array(let elements):
      writer.arrayHeader(elements.count)
      for element in elements { element.encode(&writer) }
    case .object(let members):
      writer.mapHeader(members.count)
      for (key, value) in members.sorted(by: { bytewiseLess($0.key, $1.key) }) {
        writer.string(key)
        value.encode(&writer)
      }
    }
  }

  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self = try reader.dynamic() }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) { self = value }
  public var selected: Selected { .dynamic(self) }
  public static var shape: Shape { .dynamic }
}

/// Opaque configuration: an object, shown as `{}` when empty. Numbers that came from JSON count as floating point
/// (wire/messagepack.md, "any values").
public struct DynamicMap: Sendable, Equatable, FieldValue {
  public var members: DynamicObject

  public init(_ members: DynamicObject = DynamicObject()) { self.members = members }

  public static func == (a: DynamicMap, b: DynamicMap) -> Bool { Dynamic.object(a.members) == .object(b.members) }
  public var isEmptyValue: Bool { members.isEmpty }
  public subscript(key: String) -> Dynamic? {
    get { members[key] }
    set { members[key] = newValue }
  }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    if members.isEmpty, options.contains(.nullWhenEmpty) { return writer.null() }
    Dynamic.object(members).encodeJSON(&writer, [])
  }
  public func encode(_ writer: inout MessagePackWriter) {
    if members.isEmpty { return writer.null() }
    Dynamic.object(members).encode(&writer)
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    switch try reader.dynamic() {
    case .null: self.init()
    case .object(let members): self.init(members)
    default: throw reader.mismatch("map")
    }
  }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    switch value.unwrappedBlock(context) {
    case .null: self.init()
    case .object(let members):
      self.init(
        DynamicObject(members.map { ($0.key, context.style == .configuration ? $0.value : $0.value.asFloatingPoint) }))
    default: throw context.mismatch(value, expected: "map[string]interface {}")
    }
  }
  public var selected: Selected { .dynamic(.object(members)) }
  public static var shape: Shape { .hidden }
}

extension Dynamic {
  /// The same value with every number as a floating-point one.
  var asFloatingPoint: Dynamic {
    switch self {
    case .int(let value): .double(Double(value))
    case .uint(let value): .double(Double(value))
    case .array(let elements): .array(elements.map(\.asFloatingPoint))
    case .object(let members): .object(DynamicObject(members.map { ($0.key, $0.value.asFloatingPoint) }))
    default: self
    }
  }
}
