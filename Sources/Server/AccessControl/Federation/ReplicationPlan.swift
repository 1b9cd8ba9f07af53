import Model

/// As much of a policy, role or token as tells whether it is the same on both sides.
struct ReplicatedOutline: Equatable, Sendable {
  var id: String
  /// Unique among things of its kind; "" for tokens, which have none.
  var name = ""
  /// The digest of what can be changed.
  var hash = Bytes()
  /// For tokens: one that was deleted and made again under the same id has another secret.
  var createTime = Timestamp()
}

/// What has to change in this datacenter so that it has what the primary one has. A pure core.
///
/// Both sides are compared as they are, without regard to what happened in between: a round that was cut short, a snapshot
/// that was restored or a primary that lost its newest changes need no care.
struct ReplicationPlan: Equatable {
  /// Ids of what the primary does not have, and of what stands in the way of a name; in their order.
  private(set) var deletions: [String] = []
  /// Ids of what is missing or different here, in their order.
  private(set) var upserts: [String] = []

  var isEmpty: Bool { deletions.isEmpty && upserts.isEmpty }

  init(here: [ReplicatedOutline], there: [ReplicatedOutline]) {
    var left = Dictionary(here.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var owners: [String: String] = [:]
    for outline in here where !outline.name.isEmpty { owners[outline.name.folded] = outline.id }
    var isInTheWay: Set<String> = []
    var seen: Set<String> = []
    for outline in there where seen.insert(outline.id).inserted {
      if left.removeValue(forKey: outline.id) == outline { continue }
      upserts.append(outline.id)
      // Names that changed hands: whoever has one must lose it before somebody else gets it.
      if let owner = owners[outline.name.folded], owner != outline.id { isInTheWay.insert(owner) }
    }
    upserts.sort(by: bytewiseLess)
    deletions = isInTheWay.union(left.keys).sorted(by: bytewiseLess)
  }
}

/// Cuts what travels or is logged at once into pieces.
enum ReplicationBatches {
  /// Ids in one request or one deletion.
  static let idsMax = 512
  /// Bytes of one command; a single thing may be larger.
  static let bytesMax = 256 << 10

  static func ids(_ ids: [String], max: Int = idsMax) -> [[String]] {
    stride(from: 0, to: ids.count, by: max).map { Array(ids[$0..<min($0 + max, ids.count)]) }
  }

  /// In the order given; each piece has something in it and, unless it is one thing, at most `bytesMax`.
  static func items<Item>(_ items: [Item], bytesMax: Int = bytesMax, size: (Item) -> Int) -> [[Item]] {
    var batches: [[Item]] = []
    var current: [Item] = []
    var bytes = 0
    for item in items {
      let more = size(item)
      if !current.isEmpty, bytes &+ more > bytesMax || current.count >= idsMax {
        batches.append(current)
        (current, bytes) = ([], 0)
      }
      current.append(item)
      bytes &+= more
    }
    if !current.isEmpty { batches.append(current) }
    return batches
  }
}
