/// Which names the objects of access control may have.
public enum ACLNames {
  private static let limit = 128

  private static func isWord(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }

  /// Why a policy cannot have this name, in the words of the reference; nil if it can.
  public static func problem(ofPolicy name: String) -> String? {
    if name.isEmpty { return "no Name is set" }
    if name.utf8.count > limit { return "invalid Name. Length must be greater than 0 and less than 128" }
    if name.hasPrefix("/") || name.hasPrefix("builtin/") {
      return "invalid Name. Names cannot be prefixed with '/' or 'builtin/'"
    }
    let slashes = name.utf8.count { $0 == UInt8(ascii: "/") }
    guard slashes <= 1, !name.hasSuffix("/"), name.utf8.allSatisfy({ isWord($0) || $0 == UInt8(ascii: "/") }) else {
      return "invalid Name. Only alphanumeric characters, a single '/', '-' and '_' are allowed"
    }
    return nil
  }

  public static func isValidRole(_ name: String) -> Bool {
    (1...256).contains(name.utf8.count) && name.utf8.allSatisfy(isWord)
  }

  public static func isValidAuthMethod(_ name: String) -> Bool {
    (1...limit).contains(name.utf8.count) && name.utf8.allSatisfy(isWord)
  }

  /// Names of services and nodes as identities take them: in small letters, with a letter or digit at both ends.
  public static func isValidIdentity(_ name: String) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) }
    guard (1...256).contains(name.utf8.count), let first = name.utf8.first, let last = name.utf8.last else {
      return false
    }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
  }
}
