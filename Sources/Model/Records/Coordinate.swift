/// A position in the network's latency space (Vivaldi): distances between two of them estimate round-trip times.
public struct Coordinate: Record {
  /// Euclidean part, in seconds.
  public var vec: [Double] = []
  /// Confidence, without unit; larger is worse.
  public var error = 0.0
  /// Seconds added to an estimate to account for asymmetry.
  public var adjustment = 0.0
  /// Seconds of access-link latency.
  public var height = 0.0

  public init() {}

  public static let schema = Schema<Coordinate>("coordinate.Coordinate") {
    $0.field("Vec", \.vec)
    $0.field("Error", \.error)
    $0.field("Adjustment", \.adjustment)
    $0.field("Height", \.height)
  }

  /// The estimated round-trip time to `other` in seconds; infinite where the dimensions differ.
  public func distance(to other: Coordinate) -> Double {
    guard vec.count == other.vec.count else { return .infinity }
    var sum = 0.0
    for (a, b) in zip(vec, other.vec) { sum += (a - b) * (a - b) }
    let raw = sum.squareRoot() + height + other.height
    let adjusted = raw + adjustment + other.adjustment
    return adjusted > 0 ? adjusted : raw
  }

  public var isFinite: Bool {
    vec.allSatisfy(\.isFinite) && error.isFinite && adjustment.isFinite && height.isFinite
  }
}

/// The coordinate of a node in one gossip segment.
public struct NodeCoordinate: Record {
  public var node = ""
  public var segment = ""
  public var partition = ""
  public var coord: Coordinate?

  public init() {}

  public static let schema = Schema<NodeCoordinate>("structs.Coordinate") {
    $0.field("Node", \.node)
    $0.field("Segment", \.segment)
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("Coord", \.coord)
  }
}
