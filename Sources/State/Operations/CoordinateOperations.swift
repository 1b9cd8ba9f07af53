import Model

extension StateTransaction {
  /// Stores the coordinates of nodes. Those of unknown nodes and those that are not numbers are left out.
  public mutating func updateCoordinates(_ batch: [NodeCoordinate]) {
    for coordinate in batch {
      guard let position = coordinate.coord, position.isFinite, tables.nodes[.of(coordinate.node)] != nil else {
        continue
      }
      tables.coordinates.put(Row(coordinate), owner: owner)
      touchCoordinates(node: coordinate.node)
    }
  }

  mutating func removeCoordinates(node: String) {
    let removed = tables.coordinates.remove(prefix: .of(node, closed: true), owner: owner)
    if !removed.isEmpty { touchCoordinates(node: node) }
  }

  private mutating func touchCoordinates(node: String) {
    raise(IndexName.coordinates)
    touch(.coordinates)
    touch(.nodeCoordinates(node.folded))
  }
}
