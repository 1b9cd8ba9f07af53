import Model

/// Everything the room answers instead of a result. Texts that operators know are the reference's.
public enum GossipError: Error, Sendable, Equatable, CustomStringConvertible {
  // MARK: Bytes

  /// Bytes end before the named part does.
  case truncated(part: String)
  /// A field is no MessagePack of the expected kind.
  case malformed(message: String, MessagePackError)
  case unknownType(UInt8)
  /// A message of a type that has no business where it arrived.
  case unexpectedType(UInt8)
  case emptyLabel
  /// The label of a packet or stream is not that of this pool.
  case foreignLabel
  case wrongChecksum
  case unknownCompression(UInt8)
  case corruptCompression
  case tooLarge(part: String, limit: Int)
  case tooDeep(limit: Int)
  case encryptionVersion(UInt8)
  case noKeyFits
  /// A stream without encryption where encryption is demanded.
  case notEncrypted
  /// An encrypted stream at a node without keys.
  case noKeys
  case invalidAddress

  // MARK: Keys

  case keySize
  case keyNotInRing
  case keyIsPrimary
  case keyringIsEmpty
  case noKeyring

  // MARK: Limits of what is sent

  case metaTooLarge(bytes: Int, limit: Int)
  case eventTooLarge(limit: Int, afterEncoding: Bool)
  case queryTooLarge(bytes: Int, limit: Int)
  case responseTooLarge(limit: Int)
  case queryFinished

  // MARK: Peers

  /// The other side refused or could not read what was sent.
  case remote(String)
  case incompatibleVersions(String)
  case mergeRefused(String)
  case wrongAnswer
  case connection(String)
  case timeout
  case addressNotAllowed(String)

  // MARK: Life

  case cannotBind(address: String, reason: String)
  case unresolvable(host: String, reason: String)
  case notRunning
  case file(path: String, reason: String)

  public var description: String {
    switch self {
    case .truncated(let part): "truncated \(part)"
    case .malformed(let message, let error): "malformed \(message): \(error)"
    case .unknownType(let type): "message type (\(type)) not supported"
    case .unexpectedType(let type): "received invalid message type (\(type))"
    case .emptyLabel: "label header cannot be empty when present"
    case .foreignLabel: "discarding packet with unacceptable label"
    case .wrongChecksum: "got invalid checksum for UDP packet"
    case .unknownCompression(let algorithm): "cannot decompress unknown algorithm \(algorithm)"
    case .corruptCompression: "corrupt compressed message"
    case .tooLarge(let part, let limit): "\(part) is larger than limit (\(limit))"
    case .tooDeep(let limit): "messages are nested deeper than \(limit)"
    case .encryptionVersion(let version): "unsupported encryption version \(version)"
    case .noKeyFits: "no installed keys could decrypt the message"
    case .notEncrypted: "encryption is configured but remote state is not encrypted"
    case .noKeys: "remote state is encrypted and encryption is not configured"
    case .invalidAddress: "address must have 4 or 16 bytes"
    case .keySize: "key size must be 16, 24 or 32 bytes"
    case .keyNotInRing: "Requested key is not in the keyring"
    case .keyIsPrimary: "Removing the primary key is not allowed"
    case .keyringIsEmpty: "Keyring is empty (encryption not enabled)"
    case .noKeyring: "No keyring to modify (encryption not enabled)"
    case .metaTooLarge(_, let limit): "encoded length of tags exceeds limit of \(limit) bytes"
    case .eventTooLarge(let limit, let afterEncoding):
      "user event exceeds configured limit of \(limit) bytes \(afterEncoding ? "after" : "before") encoding"
    case .queryTooLarge(_, let limit): "query exceeds limit of \(limit) bytes"
    case .responseTooLarge(let limit): "response exceeds limit of \(limit) bytes"
    case .queryFinished: "response is past the deadline"
    case .remote(let text): "remote error: \(text)"
    case .incompatibleVersions(let text): text
    case .mergeRefused(let reason): reason
    case .wrongAnswer: "unexpected answer"
    case .connection(let reason): reason
    case .timeout: "timeout"
    case .addressNotAllowed(let address): "address \(address) is not allowed"
    case .cannotBind(let address, let reason): "failed to listen on \(address): \(reason)"
    case .unresolvable(let host, let reason): "lookup \(host): \(reason)"
    case .notRunning: "gossip is not running"
    case .file(let path, let reason): "\(path): \(reason)"
    }
  }
}
