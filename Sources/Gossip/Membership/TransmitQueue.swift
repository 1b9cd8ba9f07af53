import Glibc

/// Messages that are repeated a number of times, the least told first (SWIM, section 4.1).
struct TransmitQueue: Sendable {
  private struct Item: Sendable {
    let message: [UInt8]
    /// Grows with each message.
    let id: UInt64
    /// Messages of the same name replace each other.
    let name: String?
    /// Told when the message is not sent any more.
    let token: UInt64?

    /// Longer ones first, among equals the newest.
    func precedes(length: Int, id: UInt64) -> Bool {
      message.count == length ? self.id > id : message.count > length
    }
  }

  private struct Place: Sendable {
    var transmits: Int
    var length: Int
    var id: UInt64
  }

  /// By number of transmissions; each in the order of `Item.precedes`.
  private var tiers: [[Item]] = []
  private var places: [String: Place] = [:]
  private var lastID: UInt64 = 0
  private(set) var count = 0
  /// Tokens of messages that are not sent any more.
  private(set) var finished: [UInt64] = []

  var isEmpty: Bool { count == 0 }

  mutating func takeFinished() -> [UInt64] {
    defer { finished.removeAll() }
    return finished
  }

  mutating func add(_ message: [UInt8], name: String? = nil, token: UInt64? = nil) {
    if let name, let place = places.removeValue(forKey: name) { remove(place) }
    lastID &+= 1
    insert(Item(message: message, id: lastID, name: name, token: token), transmits: 0)
  }

  /// How often a message is sent in a cluster of `nodeCount`.
  static func transmitLimit(multiplier: Int, nodeCount: Int) -> Int {
    multiplier * Int(log10(Double(nodeCount + 1)).rounded(.up))
  }

  /// Messages for one packet, and counts them as sent.
  ///
  /// - Parameters:
  ///   - overhead: Bytes that each message costs beside its own.
  ///   - limit: Bytes of all messages and their overhead.
  mutating func take(overhead: Int, limit: Int, transmitLimit: Int) -> [[UInt8]] {
    guard count > 0 else { return [] }
    var taken: [(item: Item, transmits: Int)] = []
    var used = 0
    var transmits = 0
    while transmits < tiers.count {
      let free = limit - used - overhead
      guard free > 0 else { break }
      let index = position(in: tiers[transmits], length: free, id: .max)
      guard index < tiers[transmits].count else {
        transmits += 1
        continue
      }
      let item = tiers[transmits].remove(at: index)
      count -= 1
      used += overhead + item.message.count
      taken.append((item, transmits))
    }
    for (item, transmits) in taken {
      if transmits + 1 >= transmitLimit { finish(item) } else { insert(item, transmits: transmits + 1) }
    }
    return taken.map(\.item.message)
  }

  /// Drops the messages that were told most, down to `limit`.
  mutating func prune(to limit: Int) {
    for transmits in tiers.indices.reversed() {
      while count > limit, let item = tiers[transmits].popLast() {
        count -= 1
        finish(item)
      }
    }
  }

  private mutating func finish(_ item: Item) {
    if let name = item.name { places[name] = nil }
    if let token = item.token { finished.append(token) }
  }

  private mutating func insert(_ item: Item, transmits: Int) {
    while tiers.count <= transmits { tiers.append([]) }
    let index = position(in: tiers[transmits], length: item.message.count, id: item.id)
    tiers[transmits].insert(item, at: index)
    count += 1
    if let name = item.name { places[name] = Place(transmits: transmits, length: item.message.count, id: item.id) }
  }

  private mutating func remove(_ place: Place) {
    let index = position(in: tiers[place.transmits], length: place.length, id: place.id)
    guard index < tiers[place.transmits].count, tiers[place.transmits][index].id == place.id else { return }
    let item = tiers[place.transmits].remove(at: index)
    count -= 1
    if let token = item.token { finished.append(token) }
  }

  /// The first index whose item does not precede one of this length and id.
  private func position(in tier: [Item], length: Int, id: UInt64) -> Int {
    var low = 0
    var high = tier.count
    while low < high {
      let middle = (low + high) / 2
      if tier[middle].precedes(length: length, id: id) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
