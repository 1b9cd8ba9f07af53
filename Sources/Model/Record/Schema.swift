/// # Model
///
/// The records of the domain and the one description of each. `Record` types list their fields once, in a `Schema`;
/// JSON (`Codec/JSON…`), MessagePack (`Codec/MessagePack…`), HCL and JSON input (`Record/Decoding`) and the selectors of the
/// filter language are derived from that list. The room owns values and their text and byte forms. It must not know sockets,
/// storage, requests, or who asks.

/// A value with a fixed list of named fields.
///
/// Fields are stored properties; the schema addresses them by their offset, so encoders walk a record in place, without
/// copying it and without reflection.
public protocol Record: FieldValue, Equatable, Filterable {
  init()
  static var schema: Schema<Self> { get }
}

/// How a field differs from the plain form (always written, under its own name).
public struct FieldOptions: OptionSet, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Left out of JSON when it holds its zero value.
  public static let omitEmpty = FieldOptions(rawValue: 1 << 0)
  /// Never part of JSON output.
  public static let hiddenInJSON = FieldOptions(rawValue: 1 << 1)
  /// Not part of MessagePack.
  public static let notOnWire = FieldOptions(rawValue: 1 << 2)
  /// Left out of MessagePack when it holds its zero value.
  public static let omitEmptyOnWire = FieldOptions(rawValue: 1 << 3)
  /// A duration that JSON shows as text (`"10s"`); the others are integer nanoseconds.
  public static let durationText = FieldOptions(rawValue: 1 << 4)
  /// An empty list or map that JSON shows as `null` instead of `[]` or `{}`.
  public static let nullWhenEmpty = FieldOptions(rawValue: 1 << 5)
  /// Set by the server: ignored in input.
  public static let readOnly = FieldOptions(rawValue: 1 << 6)
  /// Only part of input and wire formats: input may set it, JSON output never shows it.
  public static let secret: FieldOptions = [.hiddenInJSON]
  /// The filter language does not know the field.
  public static let notSelectable = FieldOptions(rawValue: 1 << 7)
  /// Empty lists in the record that the field holds are `null` in JSON, however deep they lie.
  public static let nullLists = FieldOptions(rawValue: 1 << 8)
}

/// One field of a record type: its names, its place in memory and the operations of its type.
public struct Field: Sendable {
  /// The API's name, in CamelCase.
  public let name: String
  public let options: FieldOptions
  /// Other names that input may use.
  public let aliases: [String]
  /// `"Name":` as JSON writes it, escaped and quoted once.
  let jsonKey: [UInt8]
  /// The name as MessagePack writes it, header included.
  let wireKey: [UInt8]
  let offset: Int
  let type: any FieldValue.Type
  let operations: FieldOperations

  /// The same field in a record that holds its own record at `distance` bytes.
  func moved(by distance: Int) -> Field {
    Field(
      name: name, options: options, aliases: aliases, jsonKey: jsonKey, wireKey: wireKey, offset: offset + distance,
      type: type, operations: operations)
  }

  /// What the field holds, for readers that check input by the description instead of decoding it.
  public var shape: Shape { type.shape }

  /// The value of this field in the record at `base`.
  func select(_ base: UnsafeRawPointer) -> Selected { operations.select(base + offset) }
}

/// The operations of a field whose type is known only to the subclass, `TypedOperations`.
///
/// A class, so that encoders can call it without retaining anything. Sendable: it has no stored properties.
class FieldOperations: @unchecked Sendable {
  func encodeJSON(_ place: UnsafeRawPointer, _ writer: inout JSONWriter, _ options: FieldOptions) {}
  func encode(_ place: UnsafeRawPointer, _ writer: inout MessagePackWriter) {}
  func decode(_ place: UnsafeMutableRawPointer, _ reader: inout MessagePackReader) throws(MessagePackError) {}
  func decode(
    _ place: UnsafeMutableRawPointer, _ value: Dynamic, _ context: DecodingContext
  ) throws(DecodingError) {}
  func isEmpty(_ place: UnsafeRawPointer) -> Bool { true }
  func select(_ place: UnsafeRawPointer) -> Selected { .absent }
}

/// Sendable: as its superclass.
final class TypedOperations<Value: FieldValue>: FieldOperations, @unchecked Sendable {
  override func encodeJSON(_ place: UnsafeRawPointer, _ writer: inout JSONWriter, _ options: FieldOptions) {
    place.assumingMemoryBound(to: Value.self).pointee.encodeJSON(&writer, options)
  }

  override func encode(_ place: UnsafeRawPointer, _ writer: inout MessagePackWriter) {
    place.assumingMemoryBound(to: Value.self).pointee.encode(&writer)
  }

  override func decode(
    _ place: UnsafeMutableRawPointer, _ reader: inout MessagePackReader
  ) throws(MessagePackError) {
    place.assumingMemoryBound(to: Value.self).pointee = try Value(from: &reader)
  }

  override func decode(
    _ place: UnsafeMutableRawPointer, _ value: Dynamic, _ context: DecodingContext
  ) throws(DecodingError) {
    place.assumingMemoryBound(to: Value.self).pointee = try Value(from: value, context)
  }

  override func isEmpty(_ place: UnsafeRawPointer) -> Bool {
    place.assumingMemoryBound(to: Value.self).pointee.isEmptyValue
  }

  override func select(_ place: UnsafeRawPointer) -> Selected {
    place.assumingMemoryBound(to: Value.self).pointee.selected
  }
}

/// The fields of a record type, in the order in which the API shows them.
public struct Schema<Root: Record>: Sendable {
  public let name: String
  public let fields: [Field]
  /// Indexes into `fields`: those that MessagePack carries, in ascending byte order of their names.
  let wireOrder: [Int]
  /// Whether any field may be left out of MessagePack.
  let hasOmissions: Bool
  let jsonPlan: EncodingPlan
  let wirePlan: EncodingPlan
  /// What a record writes that nobody has set.
  let defaultJSON: [UInt8]
  /// Lower-case names and aliases to indexes into `fields`.
  private let byFoldedName: [String: Int]
  /// The same with underscores removed, for configuration files (`service_id` is `ServiceID`).
  private let byPlainName: [String: Int]

  public init(_ name: String, _ build: (inout SchemaBuilder<Root>) -> Void) {
    var builder = SchemaBuilder<Root>()
    build(&builder)
    self.name = name
    fields = builder.fields
    hasOmissions = fields.contains { $0.options.contains(.omitEmptyOnWire) }
    wireOrder = fields.indices
      .filter { !builder.fields[$0].options.contains(.notOnWire) }
      .sorted { Array(builder.fields[$0].name.utf8).lexicographicallyPrecedes(Array(builder.fields[$1].name.utf8)) }
    let jsonPlan = EncodingPlan(
      fields.filter { !$0.options.contains(.hiddenInJSON) }.map { .init($0, key: $0.jsonKey) })
    wirePlan = EncodingPlan(wireOrder.map { .init(builder.fields[$0], key: builder.fields[$0].wireKey) })
    var writer = JSONWriter()
    withUnsafePointer(to: Root()) { jsonPlan.encodeJSON($0, &writer) }
    self.jsonPlan = jsonPlan
    defaultJSON = writer.finish()
    var folded: [String: Int] = [:]
    var plain: [String: Int] = [:]
    for (index, field) in fields.enumerated() {
      for name in [field.name] + field.aliases {
        folded[name.lowercased()] = index
        plain[name.lowercased().filter { $0 != "_" }] = index
      }
    }
    byFoldedName = folded
    byPlainName = plain
  }

  /// The index of the field that input calls `key`, or nil.
  func index(of key: String, style: DecodingContext.KeyStyle) -> Int? {
    let folded = key.lowercased()
    if let found = byFoldedName[folded] { return found }
    guard style != .api else { return nil }
    return byPlainName[folded.filter { $0 != "_" }]
  }

  /// The field of that exact API name.
  public func field(named name: String) -> Field? { fields.first { $0.name == name } }
}

/// Collects the fields of one record type.
public struct SchemaBuilder<Root: Record> {
  var fields: [Field] = []

  /// Adds the fields of an inner record as if they were declared here, but for those in `except`.
  public mutating func embed<Inner: Record>(_ path: WritableKeyPath<Root, Inner>, except: Set<String> = []) {
    guard let offset = MemoryLayout<Root>.offset(of: path) else {
      preconditionFailure("\(Root.self) does not store \(Inner.self)")
    }
    for field in Inner.schema.fields where !except.contains(field.name) {
      fields.append(field.moved(by: offset))
    }
  }

  /// Adds a field. `path` must name a stored property.
  ///
  /// - Parameter wireName: the name in MessagePack, where it is not that of JSON.
  public mutating func field<Value: FieldValue>(
    _ name: String, _ path: WritableKeyPath<Root, Value>, _ options: FieldOptions = [], aliases: [String] = [],
    wireName: String? = nil
  ) {
    guard let offset = MemoryLayout<Root>.offset(of: path) else {
      preconditionFailure("\(Root.self).\(name) is not a stored property")
    }
    var key = JSONWriter(capacity: name.utf8.count + 3)
    key.key(name)
    var wire = MessagePackWriter()
    wire.string(wireName ?? name)
    fields.append(
      Field(
        name: name, options: options, aliases: aliases, jsonKey: key.finish(), wireKey: wire.bytes, offset: offset,
        type: Value.self, operations: TypedOperations<Value>()))
  }
}
