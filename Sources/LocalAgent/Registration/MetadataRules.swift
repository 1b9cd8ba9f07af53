import Model

/// The rules for service metadata.
enum MetadataRules {
  static let pairsMaximum = 64
  /// Both in characters.
  static let keyLengthMaximum = 128
  static let valueLengthMaximum = 512
  static let reservedPrefix = "consul-"
  /// The reserved keys that users may set, by kind of service.
  private static let allowedReserved = [ServiceKind.meshGateway: Set(["consul-wan-federation"])]

  /// What is wrong with `meta`, in the reference's words, or nil.
  static func problem(with meta: StringMap, kind: String) -> String? {
    if meta.count > pairsMaximum { return "Node metadata cannot contain more than \(pairsMaximum) key/value pairs" }
    for entry in meta {
      guard let reason = problem(key: entry.key, value: entry.value, kind: kind) else { continue }
      return "Couldn't load metadata pair ('\(entry.key)', '\(entry.value)'): \(reason)"
    }
    return nil
  }

  private static func problem(key: String, value: String, kind: String) -> String? {
    if key.isEmpty { return "Key cannot be blank" }
    if !key.utf8.allSatisfy(isKeyCharacter) { return "Key contains invalid characters" }
    if key.utf8.count > keyLengthMaximum { return "Key is too long (limit: \(keyLengthMaximum) characters)" }
    if key.hasPrefix(reservedPrefix), allowedReserved[kind]?.contains(key) != true {
      return "Key prefix '\(reservedPrefix)' is reserved for internal use"
    }
    if value.count > valueLengthMaximum { return "Value is too long (limit: \(valueLengthMaximum) characters)" }
    return nil
  }

  private static func isKeyCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
