/// Bytes without meaning to us, base64 in JSON.
public struct Bytes: Sendable, Hashable, FieldValue {
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  public var count: Int { bytes.count }
  public var isEmptyValue: Bool { bytes.isEmpty }

  /// Empty bytes are `null`: the reference keeps them as nil (wire/messagepack.md, "Structs").
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    if bytes.isEmpty { return writer.null() }
    bytes.withUnsafeBytes { writer.base64($0) }
  }
  public func encode(_ writer: inout MessagePackWriter) {
    if bytes.isEmpty { writer.null() } else { writer.binary(bytes) }
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { bytes = try reader.binary() }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    switch value {
    case .string(let text):
      switch Base64.decode(text) {
      case .success(let decoded): bytes = decoded
      case .failure(let error): throw .invalid(path: context.path, reason: error.description)
      }
    case .null: bytes = []
    default: throw context.mismatch(value, expected: "[]uint8")
    }
  }
  public var selected: Selected { .string(String(decoding: bytes, as: UTF8.self)) }
  public static var shape: Shape { .hidden }
}

/// Base64 with the standard alphabet and padding (RFC 4648 section 4).
public enum Base64 {
  /// Where text stops being base64.
  public struct InvalidText: Error, Equatable, CustomStringConvertible {
    public let offset: Int
    public var description: String { "illegal base64 data at input byte \(offset)" }
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xFF, count: 256)
    for (value, letter) in alphabet.enumerated() { table[Int(letter)] = UInt8(value) }
    return table
  }()

  /// Writes the text of `bytes` to `out`, which has room for four bytes per three of input, and returns its length.
  static func encode(_ bytes: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<UInt8>) -> Int {
    alphabet.withUnsafeBufferPointer { alphabet in
      var index = 0
      var written = 0
      while index < bytes.count {
        let left = bytes.count - index
        let first = UInt32(bytes[index])
        let second = left > 1 ? UInt32(bytes[index + 1]) : 0
        let third = left > 2 ? UInt32(bytes[index + 2]) : 0
        let group = first << 16 | second << 8 | third
        out[written] = alphabet[Int(group >> 18)]
        out[written + 1] = alphabet[Int(group >> 12 & 63)]
        out[written + 2] = left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "=")
        out[written + 3] = left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "=")
        index += 3
        written += 4
      }
      return written
    }
  }

  public static func encode(_ bytes: [UInt8]) -> String {
    let size = (bytes.count + 2) / 3 * 4
    return String(unsafeUninitializedCapacity: size) { out in
      guard let base = out.baseAddress else { return 0 }
      return bytes.withUnsafeBytes { encode($0, into: base) }
    }
  }

  /// Line breaks are skipped; anything else outside the alphabet is refused.
  public static func decode(_ text: String) -> Result<[UInt8], InvalidText> {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count / 4 * 3)
    var group: UInt32 = 0
    var digits = 0
    var padding = 0
    var offset = 0
    for byte in text.utf8 {
      defer { offset += 1 }
      if byte == 0x0A || byte == 0x0D { continue }
      if byte == UInt8(ascii: "=") {
        guard digits % 4 + padding >= 2, digits % 4 != 0 || padding > 0, padding < 2 else {
          return .failure(InvalidText(offset: offset))
        }
        padding += 1
        continue
      }
      let value = values[Int(byte)]
      guard value != 0xFF, padding == 0 else { return .failure(InvalidText(offset: offset)) }
      group = group << 6 | UInt32(value)
      digits += 1
      if digits % 4 == 0 {
        out.append(UInt8(truncatingIfNeeded: group >> 16))
        out.append(UInt8(truncatingIfNeeded: group >> 8))
        out.append(UInt8(truncatingIfNeeded: group))
        group = 0
      }
    }
    guard (digits + padding) % 4 == 0 else { return .failure(InvalidText(offset: offset)) }
    switch digits % 4 {
    case 2: out.append(UInt8(truncatingIfNeeded: group >> 4))
    case 3:
      out.append(UInt8(truncatingIfNeeded: group >> 10))
      out.append(UInt8(truncatingIfNeeded: group >> 2))
    default: break
    }
    return .success(out)
  }
}
