/// The configurations a server knows. The latest one is in force from the moment it is appended (the paper, section 6);
/// the committed one is what to fall back to if a new leader deletes that entry.
struct Membership: Sendable, Equatable {
  private(set) var committed: RaftConfiguration
  private(set) var committedIndex: LogIndex
  private(set) var latest: RaftConfiguration
  private(set) var latestIndex: LogIndex

  init(_ configuration: RaftConfiguration = RaftConfiguration(), index: LogIndex = 0) {
    committed = configuration
    committedIndex = index
    latest = configuration
    latestIndex = index
  }

  var isCommitted: Bool { committedIndex == latestIndex }

  /// A leader only appends a configuration once the one before is committed, so a second one proves the first.
  mutating func append(_ configuration: RaftConfiguration, index: LogIndex) {
    committed = latest
    committedIndex = latestIndex
    latest = configuration
    latestIndex = index
  }

  /// - Returns: whether the latest configuration became committed by this.
  mutating func commit(through index: LogIndex) -> Bool {
    guard !isCommitted, latestIndex <= index else { return false }
    committed = latest
    committedIndex = latestIndex
    return true
  }

  /// Entries from `index` on were deleted.
  mutating func truncate(from index: LogIndex) {
    guard latestIndex >= index else { return }
    latest = committed
    latestIndex = committedIndex
  }

  mutating func reset(_ configuration: RaftConfiguration, index: LogIndex) {
    self = Membership(configuration, index: index)
  }
}
