import Model

/// The keys that a pool's gossip is encrypted with: the first one encrypts, all of them decrypt.
public struct GossipKeyring: Sendable, Equatable {
  /// 16, 24 or 32 bytes each (AES-128, -192, -256), the primary one first. Empty: no encryption.
  public private(set) var keys: [[UInt8]]

  /// No encryption.
  public init() { keys = [] }

  /// - Throws: `keySize`.
  public init(keys: [[UInt8]]) throws(GossipError) {
    self.keys = []
    for key in keys { try install(key) }
  }

  public var isEmpty: Bool { keys.isEmpty }
  public var primary: [UInt8]? { keys.first }

  /// In base64, the primary one first: what keyring files hold.
  public var texts: [String] { keys.map { Base64.encode($0) } }

  /// Adds a key that decrypts. One that is there already stays where it is.
  ///
  /// - Throws: `keySize`.
  mutating func install(_ key: [UInt8]) throws(GossipError) {
    guard [16, 24, 32].contains(key.count) else { throw .keySize }
    if !keys.contains(key) { keys.append(key) }
  }

  /// Makes a key the primary one.
  ///
  /// - Throws: `keyNotInRing`.
  mutating func use(_ key: [UInt8]) throws(GossipError) {
    guard let index = keys.firstIndex(of: key) else { throw .keyNotInRing }
    keys.insert(keys.remove(at: index), at: 0)
  }

  /// Removing a key that is not there changes nothing.
  ///
  /// - Throws: `keyIsPrimary`.
  mutating func remove(_ key: [UInt8]) throws(GossipError) {
    if key == primary { throw .keyIsPrimary }
    keys.removeAll { $0 == key }
  }
}
