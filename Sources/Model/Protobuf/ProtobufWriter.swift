/// How a field's value is delimited (Protocol Buffers, "Encoding": wire types). Groups are not spoken any more.
public enum ProtobufWireType: UInt8, Sendable {
  case varint = 0
  case fixed64 = 1
  case bytes = 2
  case fixed32 = 5
}

/// Writes messages of Protocol Buffers.
public struct ProtobufWriter {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func tag(_ number: UInt32, _ type: ProtobufWireType) {
    varint(UInt64(number) << 3 | UInt64(type.rawValue))
  }

  public mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A number as a field, also where it is zero.
  public mutating func varint(_ number: UInt32, _ value: UInt64) {
    tag(number, .varint)
    varint(value)
  }

  public mutating func fixed64(_ number: UInt32, _ value: UInt64) {
    tag(number, .fixed64)
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// A text as a field, also where it is empty.
  public mutating func string(_ number: UInt32, _ value: String) {
    tag(number, .bytes)
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  /// A field whose bytes are there already.
  public mutating func encoded(_ number: UInt32, _ value: some Collection<UInt8>) {
    tag(number, .bytes)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// A message as a field, also where it is empty.
  public mutating func message(_ number: UInt32, _ body: (inout ProtobufWriter) -> Void) {
    tag(number, .bytes)
    // Nearly all messages are shorter than 128 bytes, and so are their lengths one byte long.
    let place = bytes.count
    bytes.append(0)
    body(&self)
    let length = bytes.count - place - 1
    if length < 0x80 {
      bytes[place] = UInt8(length)
    } else {
      var prefix = ProtobufWriter()
      prefix.varint(UInt64(length))
      bytes.replaceSubrange(place...place, with: prefix.bytes)
    }
  }
}
