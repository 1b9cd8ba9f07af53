import AgentConfiguration
import Model

/// The keys that gossip of one pool is encrypted with: all of them decrypt, the primary one encrypts. A pure core.
struct Keyring: Sendable, Equatable {
  enum Failure: Error, Equatable, CustomStringConvertible {
    case isEmpty
    case notEnabled
    case invalidSize
    case unknownKey
    case isPrimary

    var description: String {
      switch self {
      case .isEmpty: "Keyring is empty (encryption not enabled)"
      case .notEnabled: "No keyring to modify (encryption not enabled)"
      case .invalidSize: "key size must be 16, 24 or 32 bytes"
      case .unknownKey: "Requested key is not in the keyring"
      case .isPrimary: "Removing the primary key is not allowed"
      }
    }
  }

  /// In base64, the primary one first. Empty: gossip is not encrypted.
  private(set) var keys: [String]

  init(keys: [String]) { self.keys = keys }

  var primary: String? { keys.first }

  func list() throws(Failure) -> [String] {
    if keys.isEmpty { throw .isEmpty }
    return keys
  }

  mutating func install(_ key: String) throws(Failure) {
    try requireKeys()
    guard GossipKey.bytes(key) != nil else { throw .invalidSize }
    if !keys.contains(key) { keys.append(key) }
  }

  mutating func use(_ key: String) throws(Failure) {
    try requireKeys()
    guard let index = keys.firstIndex(of: key) else { throw .unknownKey }
    keys.remove(at: index)
    keys.insert(key, at: 0)
  }

  mutating func remove(_ key: String) throws(Failure) {
    try requireKeys()
    if key == primary { throw .isPrimary }
    keys.removeAll { $0 == key }
  }

  private func requireKeys() throws(Failure) {
    if keys.isEmpty { throw .notEnabled }
  }
}
