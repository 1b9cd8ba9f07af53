import Model

extension StateSnapshot {
  /// The coordinates of all nodes, in the order of their names.
  public func coordinates() -> QueryResult<[Row<NodeCoordinate>]> {
    QueryResult(
      index: tables.index(of: IndexName.coordinates), value: Array(tables.coordinates.rows.values),
      watch: [.coordinates])
  }

  /// The coordinates of one node, one for each segment.
  public func coordinates(node: String) -> QueryResult<[Row<NodeCoordinate>]> {
    let rows = tables.coordinates.rows.values(prefix: .of(node, closed: true))
    return QueryResult(
      index: tables.index(of: IndexName.coordinates), value: Array(rows), watch: [.nodeCoordinates(node.folded)])
  }

  /// The coordinate of a node: that of the default segment if it has one.
  public func coordinate(of node: String) -> Coordinate? {
    tables.coordinates.rows.values(prefix: .of(node, closed: true)).first { _ in true }?.value.coord
  }
}
