import Model

/// The bytes under which a row lies in an index.
typealias Key = [UInt8]

extension [UInt8] {
  /// A key of several texts, without regard to case. Every part but an open last one is closed, so that the keys of `("a",
  /// "bc")` and `("ab", "c")` differ and all keys that begin with some parts lie under the key of these parts, closed.
  ///
  /// A part is closed by a zero byte; a zero within one is followed by 0xFF, which is never the first byte of a text (UTF-8).
  static func of(_ text: String, closed: Bool = false) -> Key {
    var key = Key()
    key.reserveCapacity(text.utf8.count + 1)
    key.append(folded: text)
    if closed { key.append(0) }
    return key
  }

  static func of(_ first: String, _ second: String, closed: Bool = false) -> Key {
    var key = Key()
    key.reserveCapacity(first.utf8.count + second.utf8.count + 2)
    key.append(folded: first)
    key.append(0)
    key.append(folded: second)
    if closed { key.append(0) }
    return key
  }

  static func of(_ first: String, _ second: String, _ third: String) -> Key {
    var key = Key()
    key.reserveCapacity(first.utf8.count + second.utf8.count + third.utf8.count + 2)
    key.append(folded: first)
    key.append(0)
    key.append(folded: second)
    key.append(0)
    key.append(folded: third)
    return key
  }

  private mutating func append(folded text: String) {
    let start = count
    for byte in text.utf8 {
      if byte >= 0x80 {
        removeSubrange(start...)
        return appendEscaped(text.lowercased())
      }
      append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
      if byte == 0 { append(0xFF) }
    }
  }

  private mutating func appendEscaped(_ text: String) {
    for byte in text.utf8 {
      append(byte)
      if byte == 0 { append(0xFF) }
    }
  }

  /// The key of an IP address, however it is written; nil for other texts. No such key begins another.
  static func ofAddress(_ text: String) -> Key? {
    guard !text.isEmpty, let bytes = IPAddress(text)?.bytes else { return nil }
    return [UInt8(truncatingIfNeeded: bytes.count)] + bytes
  }

  /// The key of a text in which case counts.
  static func exact(_ text: String) -> Key { Array(text.utf8) }
}
