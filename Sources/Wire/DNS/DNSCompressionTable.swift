/// Where in the message which name suffix stands: open addressing over the hash of the suffix. Entries of earlier
/// messages are told apart by a generation number, so that starting a message costs nothing.
struct DNSCompressionTable {
  /// Pointers have 14 bits.
  static let offsetLimit = 0x4000
  private static let slotCount = 2048
  /// Beyond this many entries further suffixes are not remembered: less compression, but short probes.
  private static let entryLimit = slotCount * 3 / 4

  private struct Slot {
    var hash: UInt32
    var offset: UInt16
    var generation: UInt16
  }

  private var slots = [Slot](repeating: Slot(hash: 0, offset: 0, generation: 0), count: slotCount)
  private var generation: UInt16 = 1
  private var entryCount = 0

  mutating func clear() {
    entryCount = 0
    generation &+= 1
    if generation == 0 {
      for index in slots.indices { slots[index].generation = 0 }
      generation = 1
    }
  }

  mutating func insert(hash: UInt32, offset: Int) {
    guard offset < Self.offsetLimit, entryCount < Self.entryLimit else { return }
    var index = Int(hash) % Self.slotCount
    while slots[index].generation == generation { index = (index + 1) % Self.slotCount }
    slots[index] = Slot(hash: hash, offset: UInt16(offset), generation: generation)
    entryCount += 1
  }

  /// The offset of an entry with this hash that `matches` confirms.
  func offset(hash: UInt32, where matches: (UInt16) -> Bool) -> UInt16? {
    var index = Int(hash) % Self.slotCount
    while slots[index].generation == generation {
      if slots[index].hash == hash, matches(slots[index].offset) { return slots[index].offset }
      index = (index + 1) % Self.slotCount
    }
    return nil
  }
}
