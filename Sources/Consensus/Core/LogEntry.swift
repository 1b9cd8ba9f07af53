/// One position of the replicated log.
public struct LogEntry: Sendable, Equatable {
  /// Numbers are those of the wire and of the disk format.
  public enum Kind: UInt8, Sendable {
    /// Bytes for the state machine.
    case command = 0
    /// First entry of a leader's term (the paper, section 8).
    case noop = 1
    /// Membership changes of an older protocol: kept if a peer sends them, without effect.
    case addPeerDeprecated = 2
    case removePeerDeprecated = 3
    /// Completes when everything before it has been applied.
    case barrier = 4
    /// A `RaftConfiguration`; takes effect when appended.
    case configuration = 5
  }

  public var index: LogIndex
  public var term: Term
  public var kind: Kind
  public var data: [UInt8]
  /// Opaque bytes beside the command (chunking, log verification); empty for most entries.
  public var extensions: [UInt8]
  /// The leader's wall clock when it appended the entry.
  public var appendedAt: WallTime

  public init(
    index: LogIndex, term: Term, kind: Kind, data: [UInt8] = [], extensions: [UInt8] = [],
    appendedAt: WallTime = .unset
  ) {
    self.index = index
    self.term = term
    self.kind = kind
    self.data = data
    self.extensions = extensions
    self.appendedAt = appendedAt
  }

  /// Bytes that the entry holds in memory, roughly: what limits of batches and caches count.
  var cost: Int { data.count &+ extensions.count &+ 96 }
}
