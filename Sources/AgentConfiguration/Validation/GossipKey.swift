/// Keys of gossip encryption: 16, 24 or 32 bytes in base64.
public enum GossipKey {
  /// What is wrong with the text; nil for a key and for an empty text.
  public static func problem(_ text: String) -> String? {
    if text.isEmpty { return nil }
    switch Base64.decode(text) {
    case .success(let bytes): return [16, 24, 32].contains(bytes.count) ? nil : "key size must be 16, 24 or 32 bytes"
    case .failure(let error): return "illegal base64 data at input byte \(error.offset)"
    }
  }

  /// The bytes of a key; nil if the text is none.
  public static func bytes(_ text: String) -> [UInt8]? {
    guard problem(text) == nil, case .success(let bytes) = Base64.decode(text), !bytes.isEmpty else { return nil }
    return bytes
  }
}

/// Base64 with padding (RFC 4648, section 4), which tells where a text goes wrong.
enum Base64 {
  struct Failure: Error, Equatable {
    /// Index of the byte that does not fit.
    var offset: Int
  }

  static func decode(_ text: String) -> Result<[UInt8], Failure> {
    let input = Array(text.utf8)
    var output: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for (index, byte) in input.enumerated() {
      if byte == UInt8(ascii: "=") { return padded(input, from: index, bits, count, output) }
      guard let value = value(byte) else { return .failure(Failure(offset: index)) }
      bits = bits << 6 | value
      count += 1
      if count == 4 {
        output += [
          UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits),
        ]
        (bits, count) = (0, 0)
      }
    }
    // A group that is not complete is wrong from its start.
    return count == 0 ? .success(output) : .failure(Failure(offset: input.count - count))
  }

  private static func padded(
    _ input: [UInt8], from index: Int, _ bits: UInt32, _ count: Int, _ output: [UInt8]
  ) -> Result<[UInt8], Failure> {
    guard count >= 2 else { return .failure(Failure(offset: index)) }
    let wanted = 4 - count
    let padding = input[index...]
    guard padding.count >= wanted, padding.prefix(wanted).allSatisfy({ $0 == UInt8(ascii: "=") }) else {
      return .failure(Failure(offset: padding.count < wanted ? input.count : index + 1))
    }
    guard padding.count == wanted else { return .failure(Failure(offset: index + wanted)) }
    let tail =
      count == 2
      ? [UInt8(truncatingIfNeeded: bits >> 4)]
      : [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
    return .success(output + tail)
  }

  private static func value(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
