/// The nodes of a pool, by name, in parts: a change copies one part of a table that others hold, too, and growing moves one part
/// at a time, so that a pool of ten thousand has no pause when the next member comes.
struct NodeTable: Sendable {
  private static let partCount = 256

  private var parts = [[String: Node]](repeating: [:], count: partCount)
  private(set) var count = 0

  private static func part(of name: String) -> Int {
    // FNV-1a: the same in every process, so that a simulation replays.
    var hash: UInt32 = 2_166_136_261
    for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return Int((hash ^ hash >> 16) % UInt32(partCount))
  }

  subscript(name: String) -> Node? {
    get { parts[Self.part(of: name)][name] }
    set {
      let part = Self.part(of: name)
      let before = parts[part].count
      parts[part][name] = newValue
      count += parts[part].count - before
    }
  }

  /// In no order.
  var values: some Sequence<Node> { parts.lazy.flatMap(\.values) }
}
