/// A message of Protocol Buffers: a value whose fields are listed once, by number and stored property. Encoding and decoding
/// are derived from that list, as JSON and MessagePack are from a record's `Schema`.
///
/// The two lists of a record differ where the two formats do: messages bundle what records hold side by side (indexes), and
/// have a number where records have a name.
public protocol ProtobufMessage: ProtobufValue, ProtobufElement {
  init()
  static var layout: ProtobufLayout<Self> { get }
}

extension ProtobufMessage {
  /// The message as bytes.
  public func protobuf() -> [UInt8] {
    var writer = ProtobufWriter()
    writeFields(&writer)
    return writer.bytes
  }

  public init(protobuf bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
    self.init()
    var reader = ProtobufReader(bytes)
    try merge(&reader)
  }

  public init(protobuf bytes: [UInt8]) throws(ProtobufError) {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(ProtobufError) in try Self(protobuf: bytes) }
    }
    self = try result.get()
  }

  public func writeElement(_ number: UInt32, _ writer: inout ProtobufWriter) { write(number, &writer) }
  public init(element reader: inout ProtobufReader) throws(ProtobufError) {
    self.init()
    try read(&reader)
  }

  func writeFields(_ writer: inout ProtobufWriter) {
    withUnsafePointer(to: self) { Self.layout.write(UnsafeRawPointer($0), &writer) }
  }

  mutating func merge(_ reader: inout ProtobufReader) throws(ProtobufError) {
    let result = withUnsafeMutablePointer(to: &self) { place in
      Result { () throws(ProtobufError) in try Self.layout.read(UnsafeMutableRawPointer(place), &reader) }
    }
    try result.get()
  }

  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    writer.message(number) { writeFields(&$0) }
  }

  /// A message that comes in pieces is the merger of them.
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    var inner = try reader.message()
    try merge(&inner)
  }
}

/// What a field of a message can hold.
public protocol ProtobufValue {
  /// Writes the value as a field, or nothing where it is what readers assume.
  func write(_ number: UInt32, _ writer: inout ProtobufWriter)
  /// Takes the value of the reader's current field in.
  mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError)
}

/// One field of a message: its number, its place in memory and the operations of its type.
struct ProtobufField: Sendable {
  let number: UInt32
  let offset: Int
  let operations: ProtobufOperations
}

/// The operations of a field whose type is known only to the subclass, as `FieldOperations` has them.
///
/// Sendable: it has no stored properties.
class ProtobufOperations: @unchecked Sendable {
  func write(_ place: UnsafeRawPointer, _ number: UInt32, _ writer: inout ProtobufWriter) {}
  func read(_ place: UnsafeMutableRawPointer, _ reader: inout ProtobufReader) throws(ProtobufError) {}
}

/// Sendable: as its superclass.
final class TypedProtobufOperations<Value: ProtobufValue>: ProtobufOperations, @unchecked Sendable {
  override func write(_ place: UnsafeRawPointer, _ number: UInt32, _ writer: inout ProtobufWriter) {
    place.assumingMemoryBound(to: Value.self).pointee.write(number, &writer)
  }

  override func read(_ place: UnsafeMutableRawPointer, _ reader: inout ProtobufReader) throws(ProtobufError) {
    try place.assumingMemoryBound(to: Value.self).pointee.read(&reader)
  }
}

/// Two numbers that a record holds side by side and a message as one of its own: fields 1 and 2.
///
/// Sendable: what it stores never changes.
final class PairOperations: ProtobufOperations, @unchecked Sendable {
  private let offsets: (Int, Int)

  init(_ first: Int, _ second: Int) { offsets = (first, second) }

  override func write(_ place: UnsafeRawPointer, _ number: UInt32, _ writer: inout ProtobufWriter) {
    writer.message(number) { [offsets] writer in
      place.load(fromByteOffset: offsets.0, as: UInt64.self).write(1, &writer)
      place.load(fromByteOffset: offsets.1, as: UInt64.self).write(2, &writer)
    }
  }

  override func read(_ place: UnsafeMutableRawPointer, _ reader: inout ProtobufReader) throws(ProtobufError) {
    var inner = try reader.message()
    while try inner.next() {
      switch inner.number {
      case 1: place.storeBytes(of: try inner.varint(), toByteOffset: offsets.0, as: UInt64.self)
      case 2: place.storeBytes(of: try inner.varint(), toByteOffset: offsets.1, as: UInt64.self)
      default: try inner.skip()
      }
    }
  }
}

/// A message that is always there and says nothing to us. Sendable: as its superclass.
final class EmptyMessageOperations: ProtobufOperations, @unchecked Sendable {
  override func write(_ place: UnsafeRawPointer, _ number: UInt32, _ writer: inout ProtobufWriter) {
    writer.message(number) { _ in }
  }

  override func read(_ place: UnsafeMutableRawPointer, _ reader: inout ProtobufReader) throws(ProtobufError) {
    try reader.skip()
  }
}

/// The fields of a message, in the order of their numbers.
public struct ProtobufLayout<Root: ProtobufMessage>: Sendable {
  private var fields: [ProtobufField] = []

  public init(_ build: (inout ProtobufLayout<Root>) -> Void) {
    build(&self)
    fields.sort { $0.number < $1.number }
  }

  private static func offset(of path: PartialKeyPath<Root>) -> Int {
    guard let offset = MemoryLayout<Root>.offset(of: path) else {
      preconditionFailure("\(Root.self) does not store \(path)")
    }
    return offset
  }

  private mutating func add(_ number: UInt32, _ offset: Int, _ operations: ProtobufOperations) {
    precondition(!fields.contains { $0.number == number }, "\(Root.self) has field \(number) twice")
    fields.append(ProtobufField(number: number, offset: offset, operations: operations))
  }

  /// Adds a field. `path` must name a stored property.
  public mutating func field<Value: ProtobufValue>(_ number: UInt32, _ path: WritableKeyPath<Root, Value>) {
    add(number, Self.offset(of: path), TypedProtobufOperations<Value>())
  }

  /// Adds a message of two numbers that the record holds side by side.
  public mutating func indexes(
    _ number: UInt32, _ created: WritableKeyPath<Root, UInt64>, _ modified: WritableKeyPath<Root, UInt64>
  ) {
    add(number, 0, PairOperations(Self.offset(of: created), Self.offset(of: modified)))
  }

  /// Adds a message that is written empty and not read.
  public mutating func emptyMessage(_ number: UInt32) { add(number, 0, EmptyMessageOperations()) }

  func write(_ root: UnsafeRawPointer, _ writer: inout ProtobufWriter) {
    for field in fields { field.operations.write(root + field.offset, field.number, &writer) }
  }

  func read(_ root: UnsafeMutableRawPointer, _ reader: inout ProtobufReader) throws(ProtobufError) {
    // Writers keep to the order of numbers: the field is nearly always one of the next.
    var place = 0
    while try reader.next() {
      guard let field = find(reader.number, from: &place) else {
        try reader.skip()
        continue
      }
      try field.operations.read(root + field.offset, &reader)
    }
  }

  private func find(_ number: UInt32, from place: inout Int) -> ProtobufField? {
    if place == fields.count || fields[place].number > number { place = 0 }
    while place < fields.count, fields[place].number < number { place += 1 }
    return place < fields.count && fields[place].number == number ? fields[place] : nil
  }
}
