/// When the traces of deleted keys may be forgotten. A pure core: time is passed in.
///
/// A tombstone keeps the index of a prefix from going back when its newest key is deleted; it has to outlive every blocking
/// query that knew the key. Deletions within one granule are forgotten together, up to the highest of their indexes.
struct TombstoneExpiry {
  /// How long tombstones are kept, nanoseconds.
  static let lifetime: UInt64 = 15 * 60 * 1_000_000_000
  /// Deletions this close together share a deadline, nanoseconds.
  static let granularity: UInt64 = 30 * 1_000_000_000

  private struct Bin {
    let deadline: UInt64
    var index: UInt64
  }

  /// In ascending order of deadlines.
  private var bins: [Bin] = []

  var nextDeadline: UInt64? { bins.first?.deadline }

  /// A deletion was applied at `index`.
  mutating func noteDeletion(index: UInt64, now: UInt64) {
    let granule = (now &+ Self.lifetime) / Self.granularity &+ 1
    let deadline = granule &* Self.granularity
    if let last = bins.last, last.deadline >= deadline {
      bins[bins.count - 1].index = max(last.index, index)
    } else {
      bins.append(Bin(deadline: deadline, index: index))
    }
  }

  /// Removes the deletions whose time has come and returns the highest index among them.
  mutating func expired(now: UInt64) -> UInt64? {
    var highest: UInt64?
    while let first = bins.first, first.deadline <= now {
      highest = max(highest ?? 0, first.index)
      bins.removeFirst()
    }
    return highest
  }

  mutating func removeAll() { bins = [] }
}
