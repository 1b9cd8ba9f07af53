import Glibc

/// The memory of one node of the tree. Everything about its layout is known to `RadixNode` only.
final class RadixStorage: ManagedBuffer<RadixNode.Header, UInt64> {
  deinit { RadixNode(self).releaseContents() }
}

/// A node of the radix tree, as a raw pointer to its `RadixStorage`: the one place of this room with unsafe memory access.
///
///     object header (16)  Header (24)  children (8 × capacity)  labels (1 × capacity, sparse only)  compressed path
///
/// A node stands for the bytes of its compressed path, may hold a value, and has one child per following byte (its label).
/// Up to 64 children are kept in label order with the labels beside them (sparse); beyond that there are 256 places, one for
/// each label (full). A node without a value has at least two children, so that paths are as short as the keys allow.
///
/// Pointers are unowned: whoever holds the root of a published tree may walk below it without counting references. Children and
/// values inside a node are owned by it.
struct RadixNode {
  struct Header {
    /// The transaction that may write this node in place.
    var owner: UInt64
    /// Owned reference to the value.
    var value: UnsafeMutableRawPointer?
    var pathCount: UInt32
    var childCount: UInt16
    /// 0…64: sparse; 256: full.
    var capacity: UInt16
  }

  typealias Slot = UnsafeMutablePointer<UnsafeMutableRawPointer?>

  static let full = 256
  private static let sparseMaximum = 64
  /// A full node with fewer children becomes sparse again. Lower than `sparseMaximum`, so that a node at the limit does not
  /// change its form with every change.
  private static let fullMinimum = 40

  /// A native instance starts with two words; then come the stored properties of `ManagedBuffer`: its header, and behind it
  /// the elements at their alignment.
  static let headerOffset = 2 * MemoryLayout<UnsafeRawPointer>.size
  static let tailOffset = headerOffset + MemoryLayout<Header>.size

  let base: UnsafeMutableRawPointer

  init(base: UnsafeMutableRawPointer) { self.base = base }
  init(_ storage: RadixStorage) { base = Unmanaged.passUnretained(storage).toOpaque() }

  var header: UnsafeMutablePointer<Header> {
    (base + Self.headerOffset).assumingMemoryBound(to: Header.self)
  }
  var childCount: Int { Int(header.pointee.childCount) }
  var capacity: Int { Int(header.pointee.capacity) }
  var isFull: Bool { header.pointee.capacity == UInt16(Self.full) }
  var value: UnsafeMutableRawPointer? { header.pointee.value }

  var children: Slot {
    (base + Self.tailOffset).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
  }
  private var labels: UnsafeMutablePointer<UInt8> {
    (base + Self.tailOffset + capacity * 8).assumingMemoryBound(to: UInt8.self)
  }
  private static func labelBytes(_ capacity: Int) -> Int { capacity == full ? 0 : capacity }

  var path: UnsafeRawBufferPointer {
    let start = base + Self.tailOffset + capacity * 8 + Self.labelBytes(capacity)
    return UnsafeRawBufferPointer(start: start, count: Int(header.pointee.pathCount))
  }

  // MARK: Reading

  /// The place of the child with that label, or nil.
  @inline(__always)
  func slot(_ label: UInt8) -> Slot? {
    let header = header.pointee
    if header.capacity == UInt16(Self.full) {
      let slot = children + Int(label)
      return slot.pointee == nil ? nil : slot
    }
    let count = Int(header.childCount)
    let labels = labels
    if count > 8 {
      guard let found = memchr(labels, Int32(label), count) else { return nil }
      return children + (found - UnsafeMutableRawPointer(labels))
    }
    for index in 0..<count where labels[index] == label { return children + index }
    return nil
  }

  @inline(__always)
  func child(_ label: UInt8) -> RadixNode? {
    guard let pointer = slot(label)?.pointee else { return nil }
    return RadixNode(base: pointer)
  }

  /// How many places `child(at:)` has.
  var placeCount: Int { isFull ? Self.full : childCount }

  /// The child at a place; a full node has empty places. Places are in label order.
  @inline(__always)
  func child(at place: Int) -> RadixNode? { children[place].map { RadixNode(base: $0) } }

  /// The first place whose label is not below `label`.
  func place(notBelow label: UInt8) -> Int {
    if isFull { return Int(label) }
    var place = 0
    while place < childCount, labels[place] < label { place += 1 }
    return place
  }

  func label(at place: Int) -> UInt8 { isFull ? UInt8(truncatingIfNeeded: place) : labels[place] }

  /// How many leading bytes the compressed path and `key` share.
  @inline(__always)
  func sharedCount(_ key: UnsafeRawBufferPointer) -> Int {
    let path = path
    let limit = min(path.count, key.count)
    guard limit > 0, let a = path.baseAddress, let b = key.baseAddress else { return 0 }
    if memcmp(a, b, limit) == 0 { return limit }
    var count = 0
    while path[count] == key[count] { count += 1 }
    return count
  }

  // MARK: Making and releasing

  /// A new node (one reference, the caller's) whose path is the concatenation of `parts`, without children and value.
  static func make(
    owner: UInt64, capacity: Int, path first: UnsafeRawBufferPointer,
    _ label: UInt8? = nil, _ second: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) -> RadixNode {
    let count = first.count + (label == nil ? 0 : 1) + second.count
    let bytes = capacity * 8 + labelBytes(capacity) + count
    let storage = RadixStorage.create(minimumCapacity: (bytes + 7) / 8) { _ in
      Header(
        owner: owner, value: nil, pathCount: UInt32(truncatingIfNeeded: count), childCount: 0,
        capacity: UInt16(truncatingIfNeeded: capacity))
    }
    let node = RadixNode(base: Unmanaged.passRetained(storage).toOpaque())
    if capacity == full { node.children.initialize(repeating: nil, count: full) }
    var target = UnsafeMutableRawPointer(mutating: node.path.baseAddress) ?? node.base
    if let start = first.baseAddress { target.copyMemory(from: start, byteCount: first.count) }
    target += first.count
    if let label {
      target.storeBytes(of: label, as: UInt8.self)
      target += 1
    }
    if let start = second.baseAddress { target.copyMemory(from: start, byteCount: second.count) }
    return node
  }

  func retain() { _ = Unmanaged<RadixStorage>.fromOpaque(base).retain() }
  func release() { Unmanaged<RadixStorage>.fromOpaque(base).release() }

  /// Gives `target`, a node without children and value, those of this one.
  func shareContents(with target: RadixNode) {
    if let value { target.header.pointee.value = Self.retained(value) }
    for place in 0..<placeCount {
      guard let child = child(at: place) else { continue }
      child.retain()
      target.append(label(at: place), child)
    }
  }

  private static func retained(_ value: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    Unmanaged<AnyObject>.fromOpaque(value).retain().toOpaque()
  }

  /// A copy (one reference, the caller's) that `owner` may write, with room for `capacity` children.
  func copy(owner: UInt64, capacity: Int) -> RadixNode {
    let copy = Self.make(owner: owner, capacity: capacity, path: path)
    shareContents(with: copy)
    return copy
  }

  /// Releases children and value. Nodes that end with this one are taken apart here rather than in their own deinit: keys that
  /// are prefixes of one another make a tree as deep as the keys are long, and the stack must not.
  func releaseContents() {
    releaseValue()
    guard childCount > 0 else { return }
    var pending: [UnsafeMutableRawPointer] = []
    releaseChildren(&pending)
    while let next = pending.popLast() {
      var storage = Unmanaged<RadixStorage>.fromOpaque(next).takeRetainedValue()
      if isKnownUniquelyReferenced(&storage) { RadixNode(storage).releaseChildren(&pending) }
    }
  }

  private func releaseValue() {
    guard let value else { return }
    Unmanaged<AnyObject>.fromOpaque(value).release()
    header.pointee.value = nil
  }

  /// Releases the leaves below this node and hands the references to its inner children over to `pending`.
  private func releaseChildren(_ pending: inout [UnsafeMutableRawPointer]) {
    for place in 0..<placeCount {
      guard let child = child(at: place) else { continue }
      if child.childCount == 0 { child.release() } else { pending.append(child.base) }
    }
    header.pointee.childCount = 0
  }

  // MARK: Writing, by the owner only

  /// Puts an owned reference to a value in and returns the owned reference to the one that was there.
  func exchangeValue(_ new: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let old = value
    header.pointee.value = new
    return old
  }

  /// Adds a child whose label is above all others. Takes over the caller's reference.
  private func append(_ label: UInt8, _ child: RadixNode) {
    if isFull {
      children[Int(label)] = child.base
    } else {
      let count = childCount
      (children + count).initialize(to: child.base)
      labels[count] = label
    }
    header.pointee.childCount += 1
  }

  /// Adds a child, for whose label there is none yet and for which there is room. Takes over the caller's reference.
  func add(_ label: UInt8, _ child: RadixNode) {
    guard !isFull else { return append(label, child) }
    let place = place(notBelow: label)
    let count = childCount
    if place < count {
      (children + place + 1).update(from: children + place, count: count - place)
      (labels + place + 1).update(from: labels + place, count: count - place)
    }
    (children + place).initialize(to: child.base)
    labels[place] = label
    header.pointee.childCount += 1
  }

  /// Takes the child with that label out; its reference becomes the caller's.
  func take(_ label: UInt8) -> RadixNode? {
    guard let slot = slot(label), let child = slot.pointee else { return nil }
    if isFull {
      slot.pointee = nil
    } else {
      let place = slot - children
      let behind = childCount - place - 1
      (children + place).update(from: children + place + 1, count: behind)
      (labels + place).update(from: labels + place + 1, count: behind)
    }
    header.pointee.childCount -= 1
    return RadixNode(base: child)
  }

  /// The capacity that one child more needs.
  var capacityForOneMore: Int {
    if childCount < capacity { return capacity }
    return switch capacity {
    case 0: 1
    case Self.sparseMaximum...: Self.full
    default: min(capacity * 2, Self.sparseMaximum)
    }
  }

  /// The capacity that suits the children there are: the same, unless most of it is unused.
  var fittingCapacity: Int {
    if isFull { return childCount < Self.fullMinimum ? Self.sparseMaximum : Self.full }
    return capacity > 4 && childCount * 4 <= capacity ? capacity / 2 : capacity
  }
}
