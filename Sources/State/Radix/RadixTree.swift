/// An ordered map from byte strings to objects that can be kept as it was at no cost: a copy of the struct is a snapshot.
///
/// An adaptive radix tree (Leis, Kemper, Neumann: "The Adaptive Radix Tree", 2013) with path compression, made persistent by
/// copying the nodes on the way to a change. Every write names its `owner`, the id of a transaction: nodes that the
/// transaction made are changed in place, all others are copied first. Therefore a copy of the struct is a snapshot only for
/// writes under *another* owner; a transaction that wants to return to an earlier state takes a new id when it copies.
///
/// Sendable: a node that has been published is never written again. Before that only the transaction that made it, whose id it
/// carries, can reach it. The values are Sendable.
struct RadixTree<Value: AnyObject & Sendable>: @unchecked Sendable {
  private(set) var root: RadixStorage?
  /// How many keys there are.
  private(set) var count = 0

  init() {}

  private init(root: RadixStorage?, count: Int) {
    self.root = root
    self.count = count
  }

  var isEmpty: Bool { root == nil }

  // MARK: Reading

  /// The value of exactly this key.
  func value(_ key: UnsafeRawBufferPointer) -> Value? {
    guard let root else { return nil }
    return withExtendedLifetime(root) {
      guard let node = Self.find(RadixNode(root), key), let value = node.value else { return nil }
      return Unmanaged<Value>.fromOpaque(value).takeUnretainedValue()
    }
  }

  func value(_ key: [UInt8]) -> Value? { key.withUnsafeBytes { value($0) } }

  private static func find(_ root: RadixNode, _ key: UnsafeRawBufferPointer) -> RadixNode? {
    var node = root
    var rest = key
    while true {
      let shared = node.sharedCount(rest)
      guard shared == node.path.count else { return nil }
      if shared == rest.count { return node }
      guard let child = node.child(rest[shared]) else { return nil }
      node = child
      rest = UnsafeRawBufferPointer(rebasing: rest[(shared + 1)...])
    }
  }

  /// The node below which all keys with this prefix lie.
  static func subtree(_ root: RadixNode, _ prefix: UnsafeRawBufferPointer) -> RadixNode? {
    var node = root
    var rest = prefix
    while true {
      let shared = node.sharedCount(rest)
      if shared == rest.count { return node }
      guard shared == node.path.count, let child = node.child(rest[shared]) else { return nil }
      node = child
      rest = UnsafeRawBufferPointer(rebasing: rest[(shared + 1)...])
    }
  }

  /// Identifies the keys with this prefix and their values: equal in two versions of a tree only if nothing among them
  /// differs (the reverse does not hold). Nil when there are none. Valid as long as the tree is held.
  func identity(prefix: [UInt8]) -> UnsafeRawPointer? {
    guard let root else { return nil }
    return prefix.withUnsafeBytes { Self.subtree(RadixNode(root), $0).map { UnsafeRawPointer($0.base) } }
  }

  /// Calls `body` with the values of all keys that are prefixes of `key`, itself included, the shortest first.
  func forEachPrefix(of key: UnsafeRawBufferPointer, _ body: (Value) -> Void) {
    guard let root else { return }
    withExtendedLifetime(root) {
      var node = RadixNode(root)
      var rest = key
      while true {
        let shared = node.sharedCount(rest)
        guard shared == node.path.count else { return }
        if let value = node.value { body(Unmanaged<Value>.fromOpaque(value).takeUnretainedValue()) }
        guard shared < rest.count, let child = node.child(rest[shared]) else { return }
        node = child
        rest = UnsafeRawBufferPointer(rebasing: rest[(shared + 1)...])
      }
    }
  }

  /// The value of the lowest key.
  var first: Value? {
    var cursor = RadixCursor<Value>(self)
    return cursor.next()
  }

  /// The value of the highest key.
  var last: Value? {
    guard let root else { return nil }
    return withExtendedLifetime(root) {
      var node = RadixNode(root)
      while node.childCount > 0 {
        var place = node.placeCount - 1
        while place > 0, node.child(at: place) == nil { place -= 1 }
        guard let child = node.child(at: place) else { break }
        node = child
      }
      return node.value.map { Unmanaged<Value>.fromOpaque($0).takeUnretainedValue() }
    }
  }

  // MARK: Writing

  /// Sets the value of a key and returns the one it had.
  @discardableResult
  mutating func insert(_ key: UnsafeRawBufferPointer, _ value: Value, owner: UInt64) -> Value? {
    let new = Unmanaged.passRetained(value).toOpaque()
    let old = withRootSlot { RadixEditor(owner: owner).insert($0, key, new) }
    guard let old else {
      count += 1
      return nil
    }
    return Unmanaged<Value>.fromOpaque(old).takeRetainedValue()
  }

  @discardableResult
  mutating func insert(_ key: [UInt8], _ value: Value, owner: UInt64) -> Value? {
    key.withUnsafeBytes { insert($0, value, owner: owner) }
  }

  /// Removes a key and returns its value.
  @discardableResult
  mutating func remove(_ key: UnsafeRawBufferPointer, owner: UInt64) -> Value? {
    guard let root, Self.find(RadixNode(root), key)?.value != nil else { return nil }
    let old = withRootSlot { RadixEditor(owner: owner).remove($0, key) }
    guard let old else { return nil }
    count -= 1
    return Unmanaged<Value>.fromOpaque(old).takeRetainedValue()
  }

  @discardableResult
  mutating func remove(_ key: [UInt8], owner: UInt64) -> Value? {
    key.withUnsafeBytes { remove($0, owner: owner) }
  }

  /// Removes all keys with this prefix and returns their values as a tree (its keys lack their common beginning). The removal
  /// itself costs as much as that of one key; counting what went costs a walk over it.
  @discardableResult
  mutating func remove(prefix: [UInt8], owner: UInt64) -> RadixTree {
    prefix.withUnsafeBytes { prefix in
      guard let root, Self.subtree(RadixNode(root), prefix) != nil else { return RadixTree() }
      let detached = withRootSlot { RadixEditor(owner: owner).detach($0, prefix) }
      guard let detached else { return RadixTree() }
      var removed = RadixTree(
        root: Unmanaged<RadixStorage>.fromOpaque(detached.base).takeRetainedValue(), count: 0)
      removed.count = removed.walkedCount
      count -= removed.count
      return removed
    }
  }

  private var walkedCount: Int {
    var cursor = RadixCursor<Value>(self)
    var count = 0
    while cursor.advance() { count += 1 }
    return count
  }

  /// The place of the root as the editor sees places: an optional reference and an optional pointer look the same in memory.
  private mutating func withRootSlot<Result>(_ body: (RadixNode.Slot) -> Result) -> Result {
    withUnsafeMutablePointer(to: &root) { root in
      root.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: 1) { body($0) }
    }
  }
}
