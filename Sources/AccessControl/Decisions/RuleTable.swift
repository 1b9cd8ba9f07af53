/// The rules about one named resource, found by name: the exact one or, failing that, the longest prefix.
///
/// Names lie behind one another in the order of their bytes. The last one that is not above a name is the place where all
/// its prefixes lead to: each entry knows the next shorter prefix of its own name. Looking up allocates nothing.
struct RuleTable: Sendable {
  private struct Entry {
    let start: Int
    let end: Int
    /// The place of the rule in `outcomes`, -1 without one.
    var exact = -1
    var prefix = -1
    /// The entry with the longest prefix rule whose name is a proper prefix of this one; -1 without one.
    var parent = -1
  }

  private var bytes: [UInt8] = []
  private var entries: [Entry] = []
  private var outcomes: [Outcome] = []

  /// What a rule says, and which it is.
  struct Outcome: Sendable {
    var level: AccessLevel
    /// The place of the rule in the list that the table was made of.
    var rule: Int
  }

  /// One rule to be put in.
  struct Item {
    var name: String
    var isPrefix: Bool
    var outcome: Outcome
  }

  var isEmpty: Bool { entries.isEmpty }

  /// - Parameter items: at most one per name and form.
  init(_ items: [Item] = []) {
    var byName: [String: (exact: Int, prefix: Int)] = [:]
    for item in items {
      outcomes.append(item.outcome)
      if item.isPrefix {
        byName[item.name, default: (-1, -1)].prefix = outcomes.count - 1
      } else {
        byName[item.name, default: (-1, -1)].exact = outcomes.count - 1
      }
    }
    let names = byName.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    // The prefixes that lead to the current name, shortest first.
    var path: [Int] = []
    for name in names {
      let start = bytes.count
      bytes += name.utf8
      var entry = Entry(start: start, end: bytes.count)
      if let found = byName[name] { (entry.exact, entry.prefix) = (found.exact, found.prefix) }
      while let last = path.last, !isPrefix(last, of: name) { path.removeLast() }
      entry.parent = path.last ?? -1
      if entry.prefix >= 0 { path.append(entries.count) }
      entries.append(entry)
    }
  }

  private func isPrefix(_ place: Int, of name: String) -> Bool {
    name.utf8.starts(with: bytes[entries[place].start..<entries[place].end])
  }

  // MARK: looking up

  /// The rule that decides about a name; nil if none speaks of it.
  func outcome(for name: String) -> Outcome? {
    if entries.isEmpty { return nil }
    return withBytes(of: name) { find($0) }
  }

  private func withBytes<Result>(of name: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    if let result = name.utf8.withContiguousStorageIfAvailable(body) { return result }
    return Array(name.utf8).withUnsafeBufferPointer(body)
  }

  private func find(_ name: UnsafeBufferPointer<UInt8>) -> Outcome? {
    bytes.withUnsafeBufferPointer { bytes in
      var place = firstAbove(name, bytes) - 1
      guard place >= 0 else { return nil }
      let entry = entries[place]
      if entry.exact >= 0, entry.end - entry.start == name.count, Self.starts(name, with: entry, bytes) {
        return outcomes[entry.exact]
      }
      while place >= 0 {
        let entry = entries[place]
        if entry.prefix >= 0, Self.starts(name, with: entry, bytes) { return outcomes[entry.prefix] }
        place = entry.parent
      }
      return nil
    }
  }

  /// The first entry whose name is above `name`.
  private func firstAbove(_ name: UnsafeBufferPointer<UInt8>, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low &+ high) / 2
      if Self.isAbove(entries[middle], name, bytes) { high = middle } else { low = middle &+ 1 }
    }
    return low
  }

  private static func isAbove(
    _ entry: Entry, _ name: UnsafeBufferPointer<UInt8>, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    let count = min(entry.end &- entry.start, name.count)
    for index in 0..<count {
      let byte = bytes[entry.start &+ index]
      if byte != name[index] { return byte > name[index] }
    }
    return entry.end &- entry.start > name.count
  }

  private static func starts(
    _ name: UnsafeBufferPointer<UInt8>, with entry: Entry, _ bytes: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard entry.end &- entry.start <= name.count else { return false }
    for index in 0..<(entry.end &- entry.start) where bytes[entry.start &+ index] != name[index] { return false }
    return true
  }

  // MARK: many names at once

  /// Every rule that is about names that begin with `prefix`.
  func outcomes(under prefix: String) -> [Outcome] {
    entries.filter { bytes[$0.start..<$0.end].starts(with: prefix.utf8) }
      .flatMap { [$0.exact, $0.prefix] }.filter { $0 >= 0 }.map { outcomes[$0] }
  }

  /// The rule about the longest prefix of `prefix`, itself included, without regard to exact rules.
  func prefixOutcome(covering prefix: String) -> Outcome? {
    withBytes(of: prefix) { name in
      bytes.withUnsafeBufferPointer { bytes in
        var place = firstAbove(name, bytes) - 1
        while place >= 0 {
          let entry = entries[place]
          if entry.prefix >= 0, Self.starts(name, with: entry, bytes) { return outcomes[entry.prefix] }
          place = entry.parent
        }
        return nil
      }
    }
  }
}
