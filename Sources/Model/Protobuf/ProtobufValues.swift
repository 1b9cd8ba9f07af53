// What the types of records are as fields of messages. Scalars and lists that are zero or empty are not written (proto3);
// messages are, unless they are optional.

extension String: ProtobufValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    if !isEmpty { writer.string(number, self) }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) { self = try reader.string() }
}

extension Bool: ProtobufValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    if self { writer.varint(number, 1) }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) { self = try reader.varint() != 0 }
}

extension UInt64: ProtobufValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    if self != 0 { writer.varint(number, self) }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) { self = try reader.varint() }
}

/// `int32`: negative numbers are written as 64 bits, and of what is read the low 32 count.
extension Int: ProtobufValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    let value = Int32(truncatingIfNeeded: self)
    if value != 0 { writer.varint(number, UInt64(bitPattern: Int64(value))) }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    self = Int(Int32(truncatingIfNeeded: try reader.varint()))
  }
}

/// What can stand in a list, or be there or not: it is written whatever it holds.
public protocol ProtobufElement {
  func writeElement(_ number: UInt32, _ writer: inout ProtobufWriter)
  init(element reader: inout ProtobufReader) throws(ProtobufError)
}

extension String: ProtobufElement {
  public func writeElement(_ number: UInt32, _ writer: inout ProtobufWriter) { writer.string(number, self) }
  public init(element reader: inout ProtobufReader) throws(ProtobufError) { self = try reader.string() }
}

extension Bool: ProtobufElement {
  public func writeElement(_ number: UInt32, _ writer: inout ProtobufWriter) { writer.varint(number, self ? 1 : 0) }
  public init(element reader: inout ProtobufReader) throws(ProtobufError) { self = try reader.varint() != 0 }
}

extension Row: ProtobufElement where Value: ProtobufMessage {
  public func writeElement(_ number: UInt32, _ writer: inout ProtobufWriter) {
    withExtendedLifetime(self) { address.pointee.write(number, &writer) }
  }
  public convenience init(element reader: inout ProtobufReader) throws(ProtobufError) {
    self.init(try Value(element: &reader))
  }
}

extension Array: ProtobufValue where Element: ProtobufElement {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    for element in self { element.writeElement(number, &writer) }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    append(try Element(element: &reader))
  }
}

extension Optional: ProtobufValue where Wrapped: ProtobufElement {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) { self?.writeElement(number, &writer) }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    self = try Wrapped(element: &reader)
  }
}

extension Boxed: ProtobufValue, ProtobufElement where Value: ProtobufMessage {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) { value.write(number, &writer) }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    var inner = value
    try inner.read(&reader)
    value = inner
  }
  public func writeElement(_ number: UInt32, _ writer: inout ProtobufWriter) { write(number, &writer) }
  public init(element reader: inout ProtobufReader) throws(ProtobufError) { self.init(try Value(element: &reader)) }
}

/// `Duration`: a message, always written.
extension GoDuration: ProtobufValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    writer.message(number) { writer in
      let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
      UInt64(bitPattern: seconds).write(1, &writer)
      Int(rest).write(2, &writer)
    }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    var inner = try reader.message()
    var (seconds, rest): (Int64, Int) = (0, 0)
    while try inner.next() {
      switch inner.number {
      case 1: seconds = Int64(bitPattern: try inner.varint())
      case 2: try rest.read(&inner)
      default: try inner.skip()
      }
    }
    // Beyond 292 years the sign is all that counts.
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = whole.addingReportingOverflow(Int64(rest))
    nanoseconds = overflow || overflow2 ? (seconds < 0 ? .min : .max) : sum
  }
}

/// `map<string, string>`, in the order of the keys. Entries have both fields, also where they are empty.
extension StringMap: ProtobufValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    for entry in self {
      writer.message(number) {
        $0.string(1, entry.key)
        $0.string(2, entry.value)
      }
    }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    var value = ""
    let key = try reader.mapEntry { reader throws(ProtobufError) in try value.read(&reader) }
    self[key] = value
  }
}

extension ProtobufReader {
  /// Reads one entry of a map: its key, and its value by `read`.
  mutating func mapEntry(
    _ read: (inout ProtobufReader) throws(ProtobufError) -> Void
  ) throws(ProtobufError) -> String {
    var inner = try message()
    var key = ""
    while try inner.next() {
      switch inner.number {
      case 1: key = try inner.string()
      case 2: try read(&inner)
      default: try inner.skip()
      }
    }
    return key
  }
}

/// What the values of a map with texts for keys can be.
public protocol ProtobufMapValue {
  init()
  /// Writes the value as field 2 of an entry.
  func writeValue(_ writer: inout ProtobufWriter)
  mutating func readValue(_ reader: inout ProtobufReader) throws(ProtobufError)
}

/// `map<string, message>`, in the order of the keys.
extension Dictionary: ProtobufValue where Key == String, Value: ProtobufMapValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    for (key, value) in sorted(by: { bytewiseLess($0.key, $1.key) }) {
      writer.message(number) {
        $0.string(1, key)
        value.writeValue(&$0)
      }
    }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    var value = Value()
    let key = try reader.mapEntry { reader throws(ProtobufError) in try value.readValue(&reader) }
    self[key] = value
  }
}

/// A list of texts is a message of its own as the value of a map (`HeaderValue`).
extension [String]: ProtobufMapValue {
  public func writeValue(_ writer: inout ProtobufWriter) { writer.message(2) { write(1, &$0) } }
  public mutating func readValue(_ reader: inout ProtobufReader) throws(ProtobufError) {
    var inner = try reader.message()
    while try inner.next() {
      if inner.number == 1 { try read(&inner) } else { try inner.skip() }
    }
  }
}

/// `Struct`, the message of values without a fixed shape; an empty one is not written.
extension DynamicMap: ProtobufValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    if !members.isEmpty { writer.message(number) { members.writeFields(&$0) } }
  }
  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    var inner = try reader.message()
    members = try DynamicObject(&inner)
  }
}

extension DynamicObject {
  fileprivate func writeFields(_ writer: inout ProtobufWriter) {
    for (key, value) in self {
      writer.message(1) { writer in
        writer.string(1, key)
        writer.message(2) { value.writeFields(&$0) }
      }
    }
  }

  fileprivate init(_ reader: inout ProtobufReader) throws(ProtobufError) {
    self.init()
    while try reader.next() {
      guard reader.number == 1 else {
        try reader.skip()
        continue
      }
      var value = Dynamic.null
      let key = try reader.mapEntry { reader throws(ProtobufError) in
        var inner = try reader.message()
        value = try Dynamic(&inner)
      }
      append(key, value)
    }
  }
}

/// `Value`: one of its fields is set. Numbers are doubles there.
extension Dynamic {
  fileprivate func writeFields(_ writer: inout ProtobufWriter) {
    switch self {
    case .null: writer.varint(1, 0)
    case .int(let value): writer.fixed64(2, Double(value).bitPattern)
    case .uint(let value): writer.fixed64(2, Double(value).bitPattern)
    case .double(let value): writer.fixed64(2, value.bitPattern)
    case .string(let value): writer.string(3, value)
    case .bool(let value): writer.varint(4, value ? 1 : 0)
    case .object(let members): writer.message(5) { members.writeFields(&$0) }
    case .array(let elements):
      writer.message(6) { writer in
        for element in elements { writer.message(1) { element.writeFields(&$0) } }
      }
    }
  }

  fileprivate init(_ reader: inout ProtobufReader) throws(ProtobufError) {
    self = .null
    while try reader.next() {
      switch reader.number {
      case 1:
        _ = try reader.varint()
        self = .null
      case 2: self = .double(Double(bitPattern: try reader.fixed64()))
      case 3: self = .string(try reader.string())
      case 4: self = .bool(try reader.varint() != 0)
      case 5:
        var inner = try reader.message()
        self = .object(try DynamicObject(&inner))
      case 6:
        var inner = try reader.message()
        self = .array(try Self.list(&inner))
      default: try reader.skip()
      }
    }
  }

  private static func list(_ reader: inout ProtobufReader) throws(ProtobufError) -> [Dynamic] {
    var elements: [Dynamic] = []
    while try reader.next() {
      guard reader.number == 1 else {
        try reader.skip()
        continue
      }
      var inner = try reader.message()
      elements.append(try Dynamic(&inner))
    }
    return elements
  }
}
