import Testing

@testable import State

/// A small generator with a seed, so that a failing round can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  /// xorshift64* (Marsaglia 2003, Vigna 2014).
  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

private final class Item: Sendable {
  let key: Key
  let number: Int

  init(_ key: Key, _ number: Int) {
    self.key = key
    self.number = number
  }
}

private func precedes(_ a: Key, _ b: Key) -> Bool { a.lexicographicallyPrecedes(b) }

/// The same map as a sorted dictionary.
private struct NaiveMap {
  var items: [Key: Int] = [:]

  var sorted: [(key: Key, number: Int)] {
    items.sorted { precedes($0.key, $1.key) }.map { (key: $0.key, number: $0.value) }
  }
}

private func key(_ text: String) -> Key { Key.exact(text) }

private func numbers(_ cursor: RadixCursor<Item>) -> [Int] { cursor.map(\.number) }

/// Keys that share beginnings of many lengths, with branches of every width.
private func randomKey(_ generator: inout SeededGenerator) -> Key {
  switch Int.random(in: 0..<4, using: &generator) {
  case 0:
    let letters: [UInt8] = [0, 97, 98, 255]
    return (0..<Int.random(in: 0...8, using: &generator)).map { _ in
      letters[Int.random(in: 0..<letters.count, using: &generator)]
    }
  case 1: return [UInt8.random(in: 0...255, using: &generator)]
  case 2: return key("service/\(Int.random(in: 0..<300, using: &generator))/node")
  default:
    let count = Int.random(in: 0...60, using: &generator)
    return Key(repeating: 120, count: count) + [UInt8.random(in: 0...255, using: &generator)]
  }
}

@Test func layoutIsThatOfManagedBuffer() {
  let storage = RadixStorage.create(minimumCapacity: 4) { _ in
    RadixNode.Header(owner: 1, value: nil, pathCount: 0, childCount: 0, capacity: 0)
  }
  let base = Unmanaged.passUnretained(storage).toOpaque()
  storage.withUnsafeMutablePointers { header, elements in
    #expect(UnsafeMutableRawPointer(header) == base + RadixNode.headerOffset)
    #expect(UnsafeMutableRawPointer(elements) == base + RadixNode.tailOffset)
  }
}

@Test(arguments: 1...20) func treeBehavesLikeASortedDictionary(seed: Int) {
  var generator = SeededGenerator(seed: UInt64(seed))
  var tree = RadixTree<Item>()
  var naive = NaiveMap()
  var snapshots: [(tree: RadixTree<Item>, naive: NaiveMap)] = []
  var owner = TransactionID.next()
  for round in 0..<3000 {
    let key = randomKey(&generator)
    switch Int.random(in: 0..<20, using: &generator) {
    case 0..<11:
      let old = tree.insert(key, Item(key, round), owner: owner)
      #expect(old?.number == naive.items.updateValue(round, forKey: key), "seed \(seed) round \(round)")
    case 11..<17:
      // Rather a key that is there.
      let victim = naive.items.keys.first.map { Bool.random(using: &generator) ? $0 : key } ?? key
      let removed = tree.remove(victim, owner: owner)
      #expect(removed?.number == naive.items.removeValue(forKey: victim), "seed \(seed) round \(round)")
    case 17:
      let prefix = Key(key.prefix(Int.random(in: 0...key.count, using: &generator)))
      guard prefix.count > 1 else { continue }
      let expected = naive.sorted.filter { $0.key.starts(with: prefix) }.map(\.number)
      let removed = tree.remove(prefix: prefix, owner: owner)
      #expect(numbers(removed.values) == expected && removed.count == expected.count, "seed \(seed) round \(round)")
      naive.items = naive.items.filter { !$0.key.starts(with: prefix) }
    case 18:
      let expected = naive.sorted
      #expect(numbers(tree.values) == expected.map(\.number), "seed \(seed) round \(round)")
      #expect(
        numbers(tree.values(from: key)) == expected.filter { !precedes($0.key, key) }.map(\.number),
        "seed \(seed) round \(round)")
      let prefix = Key(key.prefix(2))
      #expect(
        numbers(tree.values(prefix: prefix)) == expected.filter { $0.key.starts(with: prefix) }.map(\.number),
        "seed \(seed) round \(round)")
    default:
      snapshots.append((tree, naive))
      owner = TransactionID.next()
    }
    #expect(tree.count == naive.items.count)
    #expect(tree.value(key)?.number == naive.items[key])
  }
  #expect(tree.first?.number == naive.sorted.first?.number)
  #expect(tree.last?.number == naive.sorted.last?.number)
  for (place, snapshot) in snapshots.enumerated() {
    #expect(numbers(snapshot.tree.values) == snapshot.naive.sorted.map(\.number), "seed \(seed) snapshot \(place)")
  }
}

@Test func snapshotsThatAreReadInParallelDoNotChangeUnderWrites() async {
  var tree = RadixTree<Item>()
  await withTaskGroup(of: Bool.self) { group in
    for version in 0..<200 {
      let owner = TransactionID.next()
      for number in 0..<50 {
        let key = key("key/\((version * 31 + number * 7) % 1000)")
        if number % 5 == 4 {
          tree.remove(key, owner: owner)
        } else {
          tree.insert(key, Item(key, version), owner: owner)
        }
      }
      let snapshot = tree
      let expected = snapshot.values.map(\.key)
      group.addTask {
        (0..<5).allSatisfy { _ in
          snapshot.values.map(\.key) == expected && expected.allSatisfy { snapshot.value($0)?.key == $0 }
            && snapshot.values.allSatisfy { $0.number <= version }
        }
      }
    }
    for await isUnchanged in group { #expect(isUnchanged) }
  }
}

@Test func keysOf64KiBWithCommonBeginningsAreStoredAndFound() {
  var tree = RadixTree<Item>()
  let owner = TransactionID.next()
  let beginning = Key(repeating: 97, count: 65_536)
  for number in 0..<100 {
    let key = beginning + Key.exact("\(number)")
    tree.insert(key, Item(key, number), owner: owner)
  }
  for number in 0..<100 { #expect(tree.value(beginning + Key.exact("\(number)"))?.number == number) }
  #expect(tree.values(prefix: Key(beginning.prefix(60_000))).reduce(0) { count, _ in count + 1 } == 100)
}

@Test func chainsOfKeysThatAreBeginningsOfOneAnotherNeedNoStack() {
  // One level per key. Released, walked and removed on a thread with a stack of usual size.
  let count = 200_000
  var tree = RadixTree<Item>()
  let owner = TransactionID.next()
  var key = Key()
  let shared = Item([], 7)
  for _ in 0..<2000 {
    key.append(98)
    tree.insert(key, shared, owner: owner)
  }
  #expect(tree.values.reduce(0) { sum, _ in sum + 1 } == 2000)
  let snapshot = tree
  tree.remove(key, owner: TransactionID.next())
  #expect(snapshot.count == 2000 && tree.count == 1999)
  // Deeper than recursion could go, built from nodes directly: inserting key by key costs the square of the depth.
  var node = RadixNode.make(owner: owner, capacity: 0, path: UnsafeRawBufferPointer(start: nil, count: 0))
  for _ in 0..<count {
    let upper = RadixNode.make(owner: owner, capacity: 2, path: UnsafeRawBufferPointer(start: nil, count: 0))
    upper.add(98, node)
    upper.add(99, RadixNode.make(owner: owner, capacity: 0, path: UnsafeRawBufferPointer(start: nil, count: 0)))
    node = upper
  }
  node.release()
}

@Test func prefixesOfAKeyAreVisitedFromTheShortest() {
  var tree = RadixTree<Item>()
  let owner = TransactionID.next()
  for text in ["", "a", "a/b", "a/b/c", "a/x", "ab", "b"] { tree.insert(key(text), Item(key(text), 0), owner: owner) }
  var visited: [Key] = []
  key("a/b/d").withUnsafeBytes { tree.forEachPrefix(of: $0) { visited.append($0.key) } }
  #expect(visited == ["", "a", "a/b"].map(key))
}

@Test func unchangedPartsOfATreeKeepTheirIdentity() {
  var tree = RadixTree<Item>()
  for text in ["a/1", "a/2", "b/1", "b/2"] { tree.insert(key(text), Item(key(text), 0), owner: TransactionID.next()) }
  let before = tree
  tree.insert(key("a/1"), Item(key("a/1"), 1), owner: TransactionID.next())
  #expect(tree.identity(prefix: key("a/")) != before.identity(prefix: key("a/")))
  #expect(tree.identity(prefix: key("b/")) == before.identity(prefix: key("b/")))
  #expect(tree.identity(prefix: key("c")) == nil)
}

@Test func valuesAreReleasedWithTheLastVersionThatHasThem() {
  weak var gone: Item?
  var tree = RadixTree<Item>()
  var snapshot = RadixTree<Item>()
  do {
    let item = Item(key("x"), 1)
    gone = item
    tree.insert(item.key, item, owner: TransactionID.next())
    snapshot = tree
  }
  tree.remove(key("x"), owner: TransactionID.next())
  #expect(gone != nil && snapshot.count == 1)
  snapshot = RadixTree()
  #expect(gone == nil)
}

@Test func keysOfSeveralPartsDifferWhereTheirPartsDo() {
  #expect(Key.of("a", "bc") != Key.of("ab", "c"))
  #expect(Key.of("a\0", "b") != Key.of("a", "\0b"))
  #expect(Key.of("a\0b", "c") != Key.of("a", "b\0c"))
  #expect(!Key.of("a\0b", "c").starts(with: Key.of("a", closed: true) + [98]))
  #expect(Key.of("Node-1", "WEB") == Key.of("node-1", "web"))
  #expect(Key.of("Änder") == Key.of("änder"))
}
