/// A type that can be a field of a record: its text and byte forms, its zero value, and what a filter sees of it.
public protocol FieldValue: Sendable, Equatable {
  /// Whether this is the zero value (`false`, 0, "", an empty list, map or record).
  var isEmptyValue: Bool { get }
  func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions)
  func encode(_ writer: inout MessagePackWriter)
  init(from reader: inout MessagePackReader) throws(MessagePackError)
  init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError)
  /// The form in which the filter language compares this value.
  var selected: Selected { get }
  /// The shape that the filter language knows before any value is there.
  static var shape: Shape { get }
}

/// What a filter expression compares. Records and maps are reached through their members.
public enum Selected: Sendable {
  case string(String)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case bool(Bool)
  case strings([String])
  case map(StringMap)
  /// A map from names to lists, such as the groups that an identity provider vouches for.
  case lists([String: [String]])
  case record(any Record)
  case records([any Record])
  /// A map from names to records, such as tagged addresses.
  case recordMap([(key: String, value: any Record)])
  /// Configuration without a fixed shape.
  case dynamic(Dynamic)
  case absent
}

/// The static counterpart of `Selected`.
public indirect enum Shape: Sendable {
  case string, int, uint, double, bool, strings, map, lists, dynamic
  case record([Field])
  case records([Field])
  case recordMap([Field])
  case hidden
}

extension String: FieldValue {
  public var isEmptyValue: Bool { isEmpty }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { writer.string(self) }
  public func encode(_ writer: inout MessagePackWriter) { writer.string(self) }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self = try reader.string() }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    switch value {
    case .string(let text): self = text
    case .null: self = ""
    case .int, .uint, .double, .bool:
      guard context.style == .configuration, let text = value.weakText else {
        throw context.mismatch(value, expected: "string")
      }
      self = text
    case .array, .object: throw context.mismatch(value, expected: "string")
    }
  }
  public var selected: Selected { .string(self) }
  public static var shape: Shape { .string }
}

extension Bool: FieldValue {
  public var isEmptyValue: Bool { !self }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { writer.bool(self) }
  public func encode(_ writer: inout MessagePackWriter) { writer.bool(self) }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self = try reader.bool() }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    switch value {
    case .bool(let flag): self = flag
    case .null: self = false
    case .string(let text) where context.style == .configuration:
      switch text.lowercased() {
      case "1", "t", "true": self = true
      case "0", "f", "false", "": self = false
      default: throw context.mismatch(value, expected: "bool")
      }
    case .int(let number) where context.style == .configuration: self = number != 0
    default: throw context.mismatch(value, expected: "bool")
    }
  }
  public var selected: Selected { .bool(self) }
  public static var shape: Shape { .bool }
}

/// What the integer types share.
public protocol IntegerFieldValue: FieldValue, FixedWidthInteger {}

extension IntegerFieldValue {
  public var isEmptyValue: Bool { self == 0 }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { writer.integer(self) }
  public func encode(_ writer: inout MessagePackWriter) { writer.integer(self) }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self = try reader.integer() }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    let number: Self?
    switch value {
    case .int(let int): number = Self(exactly: int)
    case .uint(let uint): number = Self(exactly: uint)
    case .double(let double): number = Self(exactly: double)
    case .null: number = 0
    case .string(let text) where context.style == .configuration: number = Self(text)
    default: number = nil
    }
    guard let number else {
      switch value {
      case .int, .uint, .double:
        // A number of the wrong kind or size: Go's decoder shows it.
        let found = "number " + (value.weakText ?? "")
        throw .mismatch(path: context.path, found: found, expected: Self.goName)
      default: throw context.mismatch(value, expected: Self.goName)
      }
    }
    self = number
  }
  public var selected: Selected { Self.isSigned ? .int(Int64(clamping: self)) : .uint(UInt64(clamping: self)) }
  public static var shape: Shape { isSigned ? .int : .uint }
  static var goName: String {
    let name = isSigned ? "int" : "uint"
    return Self.self == Int.self ? name : name + String(bitWidth)
  }
}

extension Int: IntegerFieldValue {}
extension Int64: IntegerFieldValue {}
extension UInt64: IntegerFieldValue {}
extension UInt32: IntegerFieldValue {}
extension UInt16: IntegerFieldValue {}
extension UInt8: IntegerFieldValue {}

extension Double: FieldValue {
  public var isEmptyValue: Bool { self == 0 }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { writer.double(self) }
  public func encode(_ writer: inout MessagePackWriter) { writer.double(self) }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self = try reader.double() }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    switch value {
    case .int(let number): self = Double(number)
    case .uint(let number): self = Double(number)
    case .double(let number): self = number
    case .null: self = 0
    default: throw context.mismatch(value, expected: "float64")
    }
  }
  public var selected: Selected { .double(self) }
  public static var shape: Shape { .double }
}

/// Single precision on the wire, and no more digits in text than that takes.
extension Float: FieldValue {
  public var isEmptyValue: Bool { self == 0 }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    writer.double(Double("\(self)") ?? Double(self))
  }
  public func encode(_ writer: inout MessagePackWriter) { writer.float(self) }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self = Float(try reader.double()) }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    if context.style == .configuration, case .string(let text) = value, let number = Float(text) {
      self = number
    } else {
      self = Float(try Double(from: value, context))
    }
  }
  public var selected: Selected { .double(Double(self)) }
  public static var shape: Shape { .double }
}

extension Array: FieldValue where Element: FieldValue {
  public var isEmptyValue: Bool { isEmpty }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    if isEmpty, !options.isDisjoint(with: [.nullWhenEmpty, .nullLists]) { return writer.null() }
    writer.array(self) { $1.encodeJSON(&$0, options) }
  }
  public func encode(_ writer: inout MessagePackWriter) {
    if isEmpty { return writer.null() }
    writer.arrayHeader(count)
    for element in self { element.encode(&writer) }
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self = []
    guard let count = try reader.arrayHeader() else { return }
    try reader.nested { (reader) throws(MessagePackError) in
      reserveCapacity(Swift.min(count, 1024))
      for _ in 0..<count { append(try Element(from: &reader)) }
    }
  }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self = []
    switch value {
    case .null: return
    case .array(let values):
      reserveCapacity(values.count)
      for (index, value) in values.enumerated() { append(try Element(from: value, context.element(index))) }
    default:
      // One value stands for a list of one in configuration files: `check { … }` once or several times.
      guard context.style == .configuration else { throw context.mismatch(value, expected: Self.typeName) }
      append(try Element(from: value, context))
    }
  }
  /// What Go's decoder calls lists of such elements.
  private static var typeName: String { Element.self == String.self ? "[]string" : "array" }
  public var selected: Selected {
    if let strings = self as? [String] { return .strings(strings) }
    if let records = self as? [any Record] { return .records(records) }
    return .absent
  }
  public static var shape: Shape {
    switch Element.shape {
    case .string: .strings
    case .record(let fields): .records(fields)
    default: .hidden
    }
  }
}

extension Optional: FieldValue where Wrapped: FieldValue {
  public var isEmptyValue: Bool { self == nil }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    switch self {
    case .some(let value): value.encodeJSON(&writer, options)
    case nil: writer.null()
    }
  }
  public func encode(_ writer: inout MessagePackWriter) {
    switch self {
    case .some(let value): value.encode(&writer)
    case nil: writer.null()
    }
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self = try reader.skipNull() ? nil : Wrapped(from: &reader)
  }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    if case .null = value { self = nil } else { self = try Wrapped(from: value, context) }
  }
  public var selected: Selected { self?.selected ?? .absent }
  public static var shape: Shape { Wrapped.shape }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
  public var isEmptyValue: Bool { isEmpty }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    if isEmpty, options.contains(.nullWhenEmpty) { return writer.null() }
    writer.beginObject()
    for key in keys.sorted(by: bytewiseLess) {
      writer.member(key)
      self[key]?.encodeJSON(&writer, options)
    }
    writer.endObject()
  }
  public func encode(_ writer: inout MessagePackWriter) {
    if isEmpty { return writer.null() }
    writer.mapHeader(count)
    for key in keys.sorted(by: bytewiseLess) {
      writer.string(key)
      self[key]?.encode(&writer)
    }
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self = [:]
    guard let count = try reader.mapHeader() else { return }
    try reader.nested { (reader) throws(MessagePackError) in
      for _ in 0..<count {
        let key = try reader.string()
        self[key] = try Value(from: &reader)
      }
    }
  }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self = [:]
    switch value.unwrappedBlock(context) {
    case .null: return
    case .object(let members):
      for (key, value) in members { self[key] = try Value(from: value, context.member(key)) }
    default: throw context.mismatch(value, expected: "map")
    }
  }
  public var selected: Selected {
    var members: [(key: String, value: any Record)] = []
    for (key, value) in self {
      guard let record = value as? any Record else { return .absent }
      members.append((key, record))
    }
    return .recordMap(members)
  }
  public static var shape: Shape {
    if case .record(let fields) = Value.shape { .recordMap(fields) } else { .hidden }
  }
}

/// Go orders map keys by their bytes; Swift's `<` on strings is by Unicode canonical order.
@inlinable
public func bytewiseLess(_ a: String, _ b: String) -> Bool {
  a.utf8.lexicographicallyPrecedes(b.utf8)
}
