import Model

/// What a node noted of an earlier life: the peers it knew and the times of its clocks. Lines of text
/// (wire/gossip.md, "Serf snapshot file").
struct SerfSnapshot: Sendable, Equatable {
  var alive: [String: NodeAddress] = [:]
  /// The newest times that were seen.
  var time: UInt64 = 0
  var eventTime: UInt64 = 0
  var queryTime: UInt64 = 0

  /// The bytes that it was read from.
  var byteCount = 0

  init() {}

  /// Lines that cannot be read are skipped: the last one may be half written.
  ///
  /// - Parameter rejoinsAfterLeave: whether peers of before a leave are kept.
  init(_ text: [UInt8], rejoinsAfterLeave: Bool) {
    byteCount = text.count
    for line in text.split(separator: UInt8(ascii: "\n")) {
      take(Substring(String(decoding: line, as: UTF8.self)), rejoinsAfterLeave)
    }
  }

  private mutating func take(_ line: Substring, _ rejoinsAfterLeave: Bool) {
    if line == "leave" {
      guard !rejoinsAfterLeave else { return }
      let count = byteCount
      self = SerfSnapshot()
      byteCount = count
      return
    }
    guard let colon = line.firstRange(of: ": ") else { return }
    let value = line[colon.upperBound...]
    switch line[..<colon.lowerBound] {
    case "alive":
      // Names may contain spaces.
      guard let space = value.lastIndex(of: " "), let address = NodeAddress(value[value.index(after: space)...])
      else { return }
      alive[String(value[..<space])] = address
    case "not-alive": alive[String(value)] = nil
    case "clock": time = UInt64(value) ?? time
    case "event-clock": eventTime = UInt64(value) ?? eventTime
    case "query-clock": queryTime = UInt64(value) ?? queryTime
    default: return
    }
  }

  /// The whole as text.
  var text: [UInt8] {
    var text = ""
    for (name, address) in alive.sorted(by: { bytewiseLess($0.key, $1.key) }) { text += "alive: \(name) \(address)\n" }
    text += "clock: \(time)\nevent-clock: \(eventTime)\nquery-clock: \(queryTime)\n"
    return Array(text.utf8)
  }
}

/// Writes the snapshot file: lines at its end, and from time to time all of it anew.
struct SnapshotLog: Sendable {
  static let flushInterval = GoDuration.milliseconds(500)
  private static let compactionMinimum = 128 * 1024
  /// Bytes per node that the file may grow to.
  private static let bytesPerNode = 256

  private var state: SerfSnapshot
  /// Bytes in the file.
  private var size: Int
  private var pending = ""
  private var hasLeft = false

  init(_ found: SerfSnapshot) {
    state = found
    size = found.byteCount
  }

  mutating func note(_ event: GossipEvent) {
    guard !hasLeft else { return }
    switch event {
    case .joined(let member):
      state.alive[member.name] = member.address
      pending += "alive: \(member.name) \(member.address)\n"
    case .left(let member), .failed(let member), .reaped(let member):
      guard state.alive.removeValue(forKey: member.name) != nil else { return }
      pending += "not-alive: \(member.name)\n"
    case .updated, .statusChanged, .nameLost: break
    case .userEvent(let event):
      guard event.lamportTime > state.eventTime else { return }
      state.eventTime = event.lamportTime
      pending += "event-clock: \(event.lamportTime)\n"
    case .query(let query):
      guard query.key.lamportTime > state.queryTime else { return }
      state.queryTime = query.key.lamportTime
      pending += "query-clock: \(query.key.lamportTime)\n"
    }
  }

  /// - Parameter time: the newest that members said something at.
  mutating func note(time: UInt64) {
    guard !hasLeft, time > state.time else { return }
    state.time = time
    pending += "clock: \(time)\n"
  }

  /// This node leaves on purpose: nothing after that is noted.
  mutating func leave(rejoins: Bool) {
    pending += "leave\n"
    if !rejoins { state.alive = [:] }
    hasLeft = true
  }

  /// What is to be written now; nil: nothing.
  mutating func flush(nodeCount: Int) -> GossipEffect? {
    guard !pending.isEmpty else { return nil }
    let lines = Array(pending.utf8)
    pending = ""
    size += lines.count
    guard size > max(Self.compactionMinimum, Self.bytesPerNode * nodeCount), !hasLeft else {
      return .appendSnapshot(lines)
    }
    let text = state.text
    size = text.count
    return .replaceSnapshot(text)
  }
}
