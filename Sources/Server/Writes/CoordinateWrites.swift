import Model
import State

/// Tells where a node lies in the network. The leader gathers such news and logs them together, so that a large cluster does
/// not fill the log with them.
public struct CoordinateUpdate: WriteRequest {
  public static let method = "Coordinate.Update"
  /// The dimensions that all coordinates of a cluster have.
  static let dimensions = 8

  public var coordinate: NodeCoordinate

  public init(_ coordinate: NodeCoordinate) { self.coordinate = coordinate }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Void> {
    let position = coordinate.coord ?? Coordinate()
    if !position.isFinite { throw .invalid("invalid coordinate") }
    if position.vec.count != Self.dimensions { throw .invalid("incompatible coordinate") }
    try context.require(.nodeWrite(coordinate.node))
    context.updateCoordinate(coordinate)
    return .immediate(())
  }
}
