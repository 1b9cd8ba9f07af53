import Model

/// Shows a MessagePack value whose description is not known as JSON. The format does not tell text from bytes, so what is not
/// text is shown as base64, but for what can be recognised: times, addresses and wrapped configuration entries.
struct SnapshotValue: ~Copyable {
  /// How deep values nest that are shown.
  private static let depthLimit = 100

  private let bytes: UnsafeRawBufferPointer
  private var reader: MessagePackReader
  private var writer = JSONWriter()
  private var depth = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    reader = MessagePackReader(bytes)
  }

  static func json(_ bytes: UnsafeRawBufferPointer) throws(MessagePackError) -> String {
    var value = SnapshotValue(bytes)
    try value.show(key: "")
    return String(decoding: value.writer.finish(), as: UTF8.self)
  }

  /// - Parameter key: the name under which the value stands.
  private mutating func show(key: String) throws(MessagePackError) {
    guard reader.offset < bytes.count else { throw .incomplete }
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw .tooDeep(limit: Self.depthLimit) }
    switch bytes[reader.offset] {
    case 0x80...0x8F, 0xDE, 0xDF: try showMap()
    case 0x90...0x9F, 0xDC, 0xDD:
      let count = try reader.arrayHeader() ?? 0
      writer.beginArray()
      for _ in 0..<count { try show(key: "") }
      writer.endArray()
    case 0xA0...0xBF, 0xC4...0xC6, 0xD9...0xDB: show(text: try reader.binary(), key: key)
    default: try reader.dynamic().encodeJSON(&writer, [])
    }
  }

  private mutating func showMap() throws(MessagePackError) {
    let count = try reader.mapHeader() ?? 0
    writer.beginObject()
    for _ in 0..<count {
      let start = reader.offset
      guard start < bytes.count else { throw .incomplete }
      // Some keys are maps themselves: their JSON is the name.
      let name: String
      if case .string(let text) = try reader.dynamic() {
        name = text
      } else {
        name = try Self.json(UnsafeRawBufferPointer(rebasing: bytes[start..<reader.offset]))
      }
      writer.member(name)
      try show(key: name)
    }
    writer.endObject()
  }

  private mutating func show(text: [UInt8], key: String) {
    if key.hasSuffix("Time"), let time = Self.time(text) {
      time.encodeJSON(&writer, [])
    } else if key == "IP", text.count == 16, text[..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) {
      writer.string(text[12...].map { String($0) }.joined(separator: "."))
    } else if key != "Hash", let string = String(validating: text, as: UTF8.self) {
      writer.string(string)
    } else {
      writer.string(Base64.encode(text))
    }
  }

  private static func time(_ text: [UInt8]) -> Timestamp? {
    var writer = MessagePackWriter()
    writer.binary(text)
    return writer.bytes.withUnsafeBytes { bytes in
      var reader = MessagePackReader(bytes)
      return try? Timestamp(from: &reader)
    }
  }

  /// A configuration entry: a text that holds the kind and then the request with the entry.
  static func wrappedEntry(_ bytes: UnsafeRawBufferPointer) throws(MessagePackError) -> String {
    var outer = MessagePackReader(bytes)
    let inner = try outer.rawString()
    var kind = MessagePackReader(inner)
    _ = try kind.string()
    return try json(UnsafeRawBufferPointer(rebasing: inner.dropFirst(kind.offset)))
  }
}
