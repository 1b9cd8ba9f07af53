import Model
import State

/// The coordinates of all nodes.
public struct CoordinateNodes: ReadQuery {
  public static let method = "Coordinate.ListNodes"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<NodeCoordinate>]> { state.coordinates() }
}

/// The coordinates of one node, one per segment.
public struct CoordinateNode: ReadQuery {
  public static let method = "Coordinate.Node"
  public var node: String

  public init(node: String) { self.node = node }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<NodeCoordinate>]> { state.coordinates(node: node) }
}
