/// The rules for node metadata, which service metadata shares.
public enum NodeMetadata {
  public static let pairLimit = 64
  public static let keyLimit = 128
  public static let valueLimit = 512

  /// What is wrong with these pairs; nil if they may be used.
  ///
  /// - Parameter allowsReserved: whether the keys that agents set themselves are allowed, as in a search.
  public static func problem(_ pairs: [String: String], allowsReserved: Bool = false) -> String? {
    if pairs.count > pairLimit { return "Node metadata cannot contain more than \(pairLimit) key/value pairs" }
    // Malformed keys first: what is merely too long or reserved matters less.
    for rule in [keyProblem, limitProblem] {
      for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
        if let reason = rule(key, value, allowsReserved) {
          return "Couldn't load metadata pair ('\(key)', '\(value)'): \(reason)"
        }
      }
    }
    return nil
  }

  private static func keyProblem(_ key: String, _ value: String, _ allowsReserved: Bool) -> String? {
    if key.isEmpty { return "Key cannot be blank" }
    return key.utf8.allSatisfy(isKeyByte) ? nil : "Key contains invalid characters"
  }

  private static func limitProblem(_ key: String, _ value: String, _ allowsReserved: Bool) -> String? {
    if key.utf8.count > keyLimit { return "Key is too long (limit: \(keyLimit) characters)" }
    if !allowsReserved, key.hasPrefix("consul-") { return "Key prefix 'consul-' is reserved for internal use" }
    return value.utf8.count > valueLimit ? "Value is too long (limit: \(valueLimit) characters)" : nil
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
  }
}
