import Model
import State

/// Which nodes an answer is about, and in which order.
public struct NodeSelection: Sendable, Hashable {
  /// Only nodes that have all of this metadata.
  public var nodeMeta: StringMap
  /// The nodes nearest to this one first, by their coordinates; "" keeps the order of the catalog, `_ip` means the node
  /// with the address `ip`.
  public var near: String
  public var ip: String

  public init(nodeMeta: StringMap = StringMap(), near: String = "", ip: String = "") {
    self.nodeMeta = nodeMeta
    self.near = near
    self.ip = ip
  }

  /// The node whose neighbours come first.
  private func origin(in state: StateSnapshot) -> Coordinate? {
    if near.isEmpty { return nil }
    guard near == "_ip" else { return state.coordinate(of: near) }
    let node = ip.isEmpty ? nil : state.nodes().value.first { $0.value.address == ip }
    return node.flatMap { state.coordinate(of: $0.value.node) }
  }

  /// The elements whose node is selected. Nodes without a coordinate come last, equals keep their order.
  func apply<Element>(to elements: [Element], in state: StateSnapshot, node: (Element) -> Row<Node>?) -> [Element] {
    var selected = elements
    if !nodeMeta.isEmpty {
      selected = elements.filter { node($0)?.value.meta.contains(all: nodeMeta) ?? false }
    }
    guard let origin = origin(in: state) else { return selected }
    let distances = selected.enumerated().map { place, element in
      let coordinate = node(element).flatMap { state.coordinate(of: $0.value.node) }
      return (place: place, distance: coordinate.map { origin.distance(to: $0) } ?? .infinity)
    }
    return
      distances
      .sorted { ($0.distance, $0.place) < ($1.distance, $1.place) }
      .map { selected[$0.place] }
  }
}
