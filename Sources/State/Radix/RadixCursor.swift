/// Walks over the values of a tree in the order of their keys. Holds the version of the tree that it started with.
///
/// The way back up is kept in an array: a tree may be deeper than a stack (see `RadixNode.releaseContents`).
struct RadixCursor<Value: AnyObject & Sendable>: Sequence, IteratorProtocol {
  private struct Frame {
    let node: RadixNode
    /// The next child to visit; -1 stands for the node's own value.
    var place: Int
  }

  private let root: RadixStorage?
  private var frames: [Frame] = []
  private var current: UnsafeMutableRawPointer?

  /// All values.
  init(_ tree: RadixTree<Value>) {
    root = tree.root
    if let root { frames.append(Frame(node: RadixNode(root), place: -1)) }
  }

  /// The values of the keys that start with `prefix`.
  init(_ tree: RadixTree<Value>, prefix: UnsafeRawBufferPointer) {
    root = tree.root
    if let root, let node = RadixTree<Value>.subtree(RadixNode(root), prefix) {
      frames.append(Frame(node: node, place: -1))
    }
  }

  /// The values of `key` and of all keys above it.
  init(_ tree: RadixTree<Value>, from key: UnsafeRawBufferPointer) {
    root = tree.root
    guard let root else { return }
    var node = RadixNode(root)
    var rest = key
    while true {
      let path = node.path
      let shared = node.sharedCount(rest)
      if shared == rest.count || (shared < path.count && path[shared] > rest[shared]) {
        frames.append(Frame(node: node, place: -1))
        return
      }
      guard shared == path.count else { return }
      let label = rest[shared]
      var place = node.place(notBelow: label)
      let child = node.child(label)
      if child != nil { place += 1 }
      frames.append(Frame(node: node, place: place))
      guard let child else { return }
      node = child
      rest = UnsafeRawBufferPointer(rebasing: rest[(shared + 1)...])
    }
  }

  /// Moves to the next value; false at the end.
  mutating func advance() -> Bool {
    while let top = frames.indices.last {
      let node = frames[top].node
      if frames[top].place < 0 {
        frames[top].place = 0
        if let value = node.value {
          current = value
          if node.childCount == 0 { frames.removeLast() }
          return true
        }
      }
      var place = frames[top].place
      let end = node.placeCount
      while place < end, node.child(at: place) == nil { place += 1 }
      guard place < end, let child = node.child(at: place) else {
        frames.removeLast()
        continue
      }
      if place + 1 == end { frames.removeLast() } else { frames[top].place = place + 1 }
      frames.append(Frame(node: child, place: -1))
    }
    return false
  }

  mutating func next() -> Value? {
    guard advance(), let current else { return nil }
    return Unmanaged<Value>.fromOpaque(current).takeUnretainedValue()
  }
}

extension RadixTree {
  /// The values of all keys, in the order of their keys.
  var values: RadixCursor<Value> { RadixCursor(self) }

  func values(prefix: [UInt8]) -> RadixCursor<Value> {
    prefix.withUnsafeBytes { RadixCursor(self, prefix: $0) }
  }

  /// The values of `key` and of all keys above it.
  func values(from key: [UInt8]) -> RadixCursor<Value> {
    key.withUnsafeBytes { RadixCursor(self, from: $0) }
  }
}
