/// The changes of a radix tree, on raw nodes. Works from a slot (the place that holds the reference to a node) down, copying
/// what `owner` did not make.
struct RadixEditor {
  let owner: UInt64

  /// Makes the node at `slot` one that the owner may write, with room for `capacity` children.
  private func own(_ slot: RadixNode.Slot, _ node: RadixNode, capacity: Int) -> RadixNode {
    if node.header.pointee.owner == owner, node.capacity == capacity { return node }
    let copy = node.copy(owner: owner, capacity: capacity)
    slot.pointee = copy.base
    node.release()
    return copy
  }

  private func own(_ slot: RadixNode.Slot, _ node: RadixNode) -> RadixNode {
    own(slot, node, capacity: node.capacity)
  }

  /// Puts an owned value in and returns the owned one it replaces.
  func insert(
    _ slot: RadixNode.Slot, _ key: UnsafeRawBufferPointer, _ value: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer? {
    var slot = slot
    var rest = key
    while let pointer = slot.pointee {
      let node = RadixNode(base: pointer)
      let shared = node.sharedCount(rest)
      if shared < node.path.count {
        split(slot, node, at: shared, rest, value)
        return nil
      }
      if shared == rest.count { return own(slot, node).exchangeValue(value) }
      let label = rest[shared]
      rest = UnsafeRawBufferPointer(rebasing: rest[(shared + 1)...])
      guard node.slot(label) != nil else {
        own(slot, node, capacity: node.capacityForOneMore).add(label, leaf(rest, value))
        return nil
      }
      guard let next = own(slot, node).slot(label) else { return nil }
      slot = next
    }
    slot.pointee = leaf(rest, value).base
    return nil
  }

  private func leaf(_ path: UnsafeRawBufferPointer, _ value: UnsafeMutableRawPointer) -> RadixNode {
    let leaf = RadixNode.make(owner: owner, capacity: 0, path: path)
    _ = leaf.exchangeValue(value)
    return leaf
  }

  /// Replaces a node by one for the part of its path that `rest` shares; the node and the new value go below it.
  private func split(
    _ slot: RadixNode.Slot, _ node: RadixNode, at shared: Int, _ rest: UnsafeRawBufferPointer,
    _ value: UnsafeMutableRawPointer
  ) {
    let path = node.path
    let upper = RadixNode.make(owner: owner, capacity: 2, path: UnsafeRawBufferPointer(rebasing: path[..<shared]))
    let lower = RadixNode.make(
      owner: owner, capacity: node.capacity, path: UnsafeRawBufferPointer(rebasing: path[(shared + 1)...]))
    node.shareContents(with: lower)
    upper.add(path[shared], lower)
    if shared == rest.count {
      _ = upper.exchangeValue(value)
    } else {
      upper.add(rest[shared], leaf(UnsafeRawBufferPointer(rebasing: rest[(shared + 1)...]), value))
    }
    slot.pointee = upper.base
    node.release()
  }

  /// Removes the value of a key that exists and returns it, owned.
  func remove(_ slot: RadixNode.Slot, _ key: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer? {
    var path = EditedPath(slot)
    var rest = key
    while let pointer = path.slot.pointee {
      let node = own(path.slot, RadixNode(base: pointer))
      let shared = node.path.count
      if shared == rest.count {
        let value = node.exchangeValue(nil)
        tidy(path, node)
        return value
      }
      let label = rest[shared]
      guard let next = node.slot(label) else { return nil }
      path = EditedPath(next, parent: path.slot, label: label)
      rest = UnsafeRawBufferPointer(rebasing: rest[(shared + 1)...])
    }
    return nil
  }

  /// Takes the node below which all keys with a prefix lie out of the tree; its reference becomes the caller's.
  func detach(_ slot: RadixNode.Slot, _ prefix: UnsafeRawBufferPointer) -> RadixNode? {
    var path = EditedPath(slot)
    var rest = prefix
    while let pointer = path.slot.pointee {
      let node = RadixNode(base: pointer)
      let shared = node.sharedCount(rest)
      if shared == rest.count {
        guard let parent = path.parent else {
          path.slot.pointee = nil
          return node
        }
        return removeChild(path.label, at: parent)
      }
      let label = rest[shared]
      guard let next = own(path.slot, node).slot(label) else { return nil }
      path = EditedPath(next, parent: path.slot, label: label)
      rest = UnsafeRawBufferPointer(rebasing: rest[(shared + 1)...])
    }
    return nil
  }

  /// Where a walk down stands: a slot, and the slot of the node that it lies in.
  private struct EditedPath {
    let slot: RadixNode.Slot
    var parent: RadixNode.Slot?
    var label: UInt8 = 0

    init(_ slot: RadixNode.Slot, parent: RadixNode.Slot? = nil, label: UInt8 = 0) {
      self.slot = slot
      self.parent = parent
      self.label = label
    }
  }

  /// Restores the shape of the tree around a node that lost its value.
  private func tidy(_ path: EditedPath, _ node: RadixNode) {
    switch node.childCount {
    case 0:
      if let parent = path.parent {
        removeChild(path.label, at: parent)?.release()
      } else {
        path.slot.pointee = nil
        node.release()
      }
    case 1: merge(path.slot, node)
    default: break
    }
  }

  /// Takes a child out of the node at `slot`, which the owner may write, and restores the node's shape.
  private func removeChild(_ label: UInt8, at slot: RadixNode.Slot) -> RadixNode? {
    guard let pointer = slot.pointee else { return nil }
    let node = RadixNode(base: pointer)
    let child = node.take(label)
    if node.childCount == 1, node.value == nil {
      merge(slot, node)
    } else if node.childCount == 0, node.value == nil {
      slot.pointee = nil
      node.release()
    } else {
      _ = own(slot, node, capacity: node.fittingCapacity)
    }
    return child
  }

  /// Replaces a node without value by its only child, whose path grows by the node's.
  private func merge(_ slot: RadixNode.Slot, _ node: RadixNode) {
    guard let place = (0..<node.placeCount).first(where: { node.child(at: $0) != nil }),
      let child = node.child(at: place)
    else { return }
    let merged = RadixNode.make(
      owner: owner, capacity: child.capacity, path: node.path, node.label(at: place), child.path)
    child.shareContents(with: merged)
    slot.pointee = merged.base
    node.release()
  }
}
