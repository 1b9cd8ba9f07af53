/// Random identifiers in the form of RFC 4122 text, as sessions, nodes and queries carry them.
public enum Identifier {
  /// Sixteen random bytes as `8-4-4-4-12` hexadecimal digits.
  public static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    return random(using: &generator)
  }

  public static func random(using generator: inout some RandomNumberGenerator) -> String {
    let high = generator.next()
    let low = generator.next()
    let digits = String(high, radix: 16).leftPadded(to: 16) + String(low, radix: 16).leftPadded(to: 16)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.append(digit)
    }
    return text
  }

  /// Whether `text` has the form of an identifier: 36 characters, hexadecimal digits and hyphens in their places.
  public static func isValid(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count == 36 else { return false }
    return bytes.enumerated().allSatisfy { index, byte in
      [8, 13, 18, 23].contains(index) ? byte == UInt8(ascii: "-") : hexValue(byte) != nil
    }
  }
}
