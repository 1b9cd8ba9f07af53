import Model

/// Finds the records in a state stream that comes in pieces of any size: what each one is and where it ends. It does not
/// know what is in them.
public struct SnapshotRecordReader {
  public struct Problem: Error, CustomStringConvertible {
    public let description: String
  }

  /// One record, or the header that comes first.
  public struct Element {
    /// Nil for the header.
    public let type: UInt8?
    /// A MessagePack value.
    public let value: UnsafeRawBufferPointer
    /// Bytes of value and type.
    public let size: Int
  }

  private var buffer: [UInt8] = []
  private var hasHeader = false
  /// Where the buffer begins in the stream.
  private var offset = 0
  /// Not tried again before so much is here, so that a record of many pieces is not begun with each.
  private var wanted = 1

  public init() {}

  /// Takes the next bytes and hands every element that is complete with them to `body`.
  public mutating func consume(
    _ bytes: UnsafeRawBufferPointer, _ body: (Element) throws -> Void
  ) throws {
    buffer.append(contentsOf: bytes)
    if buffer.count >= wanted { try read(isEnd: false, body) }
  }

  /// - Throws: `Problem` if the stream ends within an element or before the header.
  public mutating func finish(_ body: (Element) throws -> Void) throws {
    try read(isEnd: true, body)
    if !hasHeader { throw Problem(description: "the state ends before its header") }
  }

  private mutating func read(isEnd: Bool, _ body: (Element) throws -> Void) throws {
    let pending = buffer
    var done = 0
    try pending.withUnsafeBytes { bytes in
      while done < bytes.count {
        let prefix = hasHeader ? 1 : 0
        var reader = MessagePackReader(UnsafeRawBufferPointer(rebasing: bytes[(done + prefix)...]))
        do throws(MessagePackError) {
          try reader.skip()
        } catch {
          switch error {
          case .incomplete where !isEnd, .impossibleCount where !isEnd: return
          default: throw Problem(description: "the record at byte \(offset + done) does not decode: \(error)")
          }
        }
        let value = UnsafeRawBufferPointer(rebasing: bytes[(done + prefix)..<(done + prefix + reader.offset)])
        try body(Element(type: hasHeader ? bytes[done] : nil, value: value, size: prefix + reader.offset))
        done += prefix + reader.offset
        hasHeader = true
      }
    }
    buffer.removeFirst(done)
    offset += done
    wanted = max(1, buffer.count * 2)
  }

  /// What the reference calls the records of a type.
  public static func name(ofType type: UInt8) -> String { names[type] ?? "Unknown(\(type))" }

  private static let names: [UInt8: String] = [
    0: "Register", 1: "Deregister", 2: "KVS", 3: "Session", 4: "DeprecatedACL", 5: "Tombstone",
    6: "CoordinateBatchUpdate", 7: "PreparedQuery", 8: "Txn", 9: "Autopilot", 10: "Area", 11: "ACLBootstrap",
    12: "Intention", 13: "ConnectCA", 14: "ConnectCAProviderState", 15: "ConnectCAConfig", 16: "Index",
    17: "ACLTokenSet", 18: "ACLTokenDelete", 19: "ACLPolicySet", 20: "ACLPolicyDelete", 21: "ConnectCALeafRequest",
    22: "ConfigEntry", 23: "ACLRoleSet", 24: "ACLRoleDelete", 25: "ACLBindingRuleSet", 26: "ACLBindingRuleDelete",
    27: "ACLAuthMethodSet", 28: "ACLAuthMethodDelete", 29: "ChunkingState", 30: "FederationState",
    31: "SystemMetadata", 32: "ServiceVirtualIP", 33: "FreeVirtualIP", 34: "KindServiceNames", 35: "PeeringWrite",
    36: "PeeringDelete", 37: "PeeringTerminateByID", 38: "PeeringTrustBundleWrite", 39: "PeeringTrustBundleDelete",
    40: "PeeringSecretsWrite", 41: "RaftLogVerifierCheckpoint", 42: "ResourceOperation", 43: "UpdateVirtualIP",
  ]
}
