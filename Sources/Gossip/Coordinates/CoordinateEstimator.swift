import Glibc
import Model

/// Learns where this node is in the network's latency space from round-trip times (Dabek, Cox, Kaashoek, Morris: "Vivaldi:
/// A Decentralized Network Coordinate System", 2004), with the adjustment term and the height of later work (Ledlie,
/// Gardner, Seltzer 2007; Chen et al. 2011).
struct CoordinateEstimator: Sendable {
  static let dimensions = 8
  private static let errorMaximum = 1.5
  /// How fast the error and the position follow a sample.
  private static let errorTuning = 0.25
  private static let positionTuning = 0.25
  private static let adjustmentWindow = 20
  /// Seconds.
  private static let heightMinimum = 10e-6
  private static let latencyFilterCount = 3
  /// Seconds at which the pull to the origin is one second.
  private static let gravityRho = 150.0
  /// Seconds; everything below counts as nothing.
  private static let zeroThreshold = 1e-6
  private static let roundTripMaximum = GoDuration.seconds(10)

  private(set) var coordinate = Self.start
  /// How often the position had to be given up.
  private(set) var resets = 0
  private var adjustments = [Double](repeating: 0, count: adjustmentWindow)
  private var adjustmentIndex = 0
  /// The last round-trip times by node, in seconds.
  private var samples: [String: [Double]] = [:]

  private static let start: Coordinate = {
    var coordinate = Coordinate()
    coordinate.vec = [Double](repeating: 0, count: dimensions)
    coordinate.error = errorMaximum
    coordinate.height = heightMinimum
    return coordinate
  }()

  /// What an answer to a ping carries.
  var payload: [UInt8] {
    var writer = MessagePackWriter()
    coordinate.encode(&writer)
    return [1] + writer.bytes
  }

  /// The coordinate in an answer; nil for other versions and for what cannot be one.
  static func coordinate(in payload: [UInt8]) -> Coordinate? {
    guard payload.first == 1, let coordinate = try? Coordinate(messagePack: payload.dropFirst()),
      isUsable(coordinate)
    else { return nil }
    return coordinate
  }

  private static func isUsable(_ coordinate: Coordinate) -> Bool {
    coordinate.vec.count == dimensions && coordinate.isFinite
  }

  mutating func forget(_ node: String) { samples[node] = nil }

  /// Takes a sample in. Round-trip times outside 0 … 10 s and unusable coordinates are ignored.
  ///
  /// - Returns: whether it counted.
  mutating func update(
    _ node: String, _ other: Coordinate, roundTrip: GoDuration, using random: inout SeededRandom
  ) -> Bool {
    guard Self.isUsable(other), (.zero...Self.roundTripMaximum).contains(roundTrip) else { return false }
    let seconds = filtered(node, roundTrip.inSeconds)
    move(other, seconds, &random)
    adjust(other, seconds)
    gravitate(&random)
    if !coordinate.isFinite {
      coordinate = Self.start
      resets += 1
    }
    return true
  }

  /// The median of the last samples.
  private mutating func filtered(_ node: String, _ seconds: Double) -> Double {
    var recent = samples[node] ?? []
    recent.append(seconds)
    if recent.count > Self.latencyFilterCount { recent.removeFirst() }
    samples[node] = recent
    return recent.sorted()[recent.count / 2]
  }

  private mutating func move(_ other: Coordinate, _ seconds: Double, _ random: inout SeededRandom) {
    let distance = coordinate.distance(to: other)
    let seconds = max(seconds, Self.zeroThreshold)
    let wrong = abs(distance - seconds) / seconds
    let weight = coordinate.error / max(coordinate.error + other.error, Self.zeroThreshold)
    let tuned = Self.errorTuning * weight
    coordinate.error = min(Self.errorMaximum, tuned * wrong + coordinate.error * (1 - tuned))
    apply(Self.positionTuning * weight * (seconds - distance), from: other, &random)
  }

  private mutating func adjust(_ other: Coordinate, _ seconds: Double) {
    adjustments[adjustmentIndex] = seconds - Self.rawDistance(coordinate, other)
    adjustmentIndex = (adjustmentIndex + 1) % adjustments.count
    coordinate.adjustment = adjustments.reduce(0, +) / Double(2 * adjustments.count)
  }

  private mutating func gravitate(_ random: inout SeededRandom) {
    let pull = Self.start.distance(to: coordinate) / Self.gravityRho
    apply(-(pull * pull), from: Self.start, &random)
  }

  /// Moves away from `other` (towards it where `force` is negative).
  private mutating func apply(_ force: Double, from other: Coordinate, _ random: inout SeededRandom) {
    let difference = zip(coordinate.vec, other.vec).map { $0 - $1 }
    var magnitude = Self.magnitude(difference)
    let unit: [Double]
    if magnitude > Self.zeroThreshold {
      unit = difference.map { $0 / magnitude }
    } else {
      magnitude = 0
      unit = Self.randomUnit(&random)
    }
    coordinate.vec = zip(coordinate.vec, unit).map { $0 + $1 * force }
    guard magnitude > Self.zeroThreshold else { return }
    coordinate.height = max(
      Self.heightMinimum, (coordinate.height + other.height) * force / magnitude + coordinate.height)
  }

  /// Two nodes at the same place part in any direction.
  private static func randomUnit(_ random: inout SeededRandom) -> [Double] {
    let direction = (0..<dimensions).map { _ in Double.random(in: -0.5..<0.5, using: &random) }
    let magnitude = magnitude(direction)
    guard magnitude > zeroThreshold else { return [1] + [Double](repeating: 0, count: dimensions - 1) }
    return direction.map { $0 / magnitude }
  }

  private static func magnitude(_ vector: [Double]) -> Double {
    vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  private static func rawDistance(_ a: Coordinate, _ b: Coordinate) -> Double {
    magnitude(zip(a.vec, b.vec).map { $0 - $1 }) + a.height + b.height
  }
}
