/// What is kept of the values that one metric saw.
struct Aggregate: Sendable, Equatable {
  var count = 0
  var sum = 0.0
  var sumOfSquares = 0.0
  var minimum = 0.0
  var maximum = 0.0

  mutating func add(_ value: Double) {
    if count == 0 {
      minimum = value
      maximum = value
    } else {
      if value < minimum { minimum = value }
      if value > maximum { maximum = value }
    }
    count &+= 1
    sum += value
    sumOfSquares += value * value
  }

  mutating func merge(_ other: Aggregate) {
    guard other.count > 0 else { return }
    minimum = count == 0 ? other.minimum : min(minimum, other.minimum)
    maximum = count == 0 ? other.maximum : max(maximum, other.maximum)
    count &+= other.count
    sum += other.sum
    sumOfSquares += other.sumOfSquares
  }

  var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// Of the sample, with Bessel's correction; 0 for fewer than two values.
  var standardDeviation: Double {
    guard count > 1 else { return 0 }
    let n = Double(count)
    return max((n * sumOfSquares - sum * sum) / (n * (n - 1)), 0).squareRoot()
  }
}

/// Counts of values in buckets whose bounds grow geometrically, 32 for each doubling: a quantile read from it is off by at
/// most 1.6 %. Values are in milliseconds; those outside 61 ns to 70 minutes count into the outermost buckets.
struct Histogram: Sendable {
  private static let bucketsPerDoubling = 5  // as a power of two
  private static let lowest = (127 - 14) << bucketsPerDoubling
  private static let size = 36 << bucketsPerDoubling

  private var counts: [UInt32] = []
  private(set) var range = Aggregate()

  mutating func add(_ value: Double) {
    if counts.isEmpty { counts = [UInt32](repeating: 0, count: Self.size) }
    counts[Self.bucket(value)] &+= 1
    range.add(value)
  }

  mutating func merge(_ other: Histogram) {
    guard !other.counts.isEmpty else { return }
    if counts.isEmpty { counts = [UInt32](repeating: 0, count: Self.size) }
    for index in counts.indices { counts[index] &+= other.counts[index] }
    range.merge(other.range)
  }

  mutating func clear() {
    guard range.count > 0 else { return }
    for index in counts.indices { counts[index] = 0 }
    range = Aggregate()
  }

  /// Nil without values.
  func quantile(_ q: Double) -> Double? {
    guard range.count > 0 else { return nil }
    let rank = max(Int((q * Double(range.count)).rounded(.up)), 1)
    var seen = 0
    for (index, count) in counts.enumerated() {
      seen &+= Int(count)
      if seen >= rank { return min(max(Self.middle(index), range.minimum), range.maximum) }
    }
    return range.maximum
  }

  /// The exponent and the first bits of the mantissa of a value are its bucket.
  private static func bucket(_ value: Double) -> Int {
    let value = Float(value)
    guard value > 0, value.isFinite else { return value > 0 ? size - 1 : 0 }
    return min(max(Int(value.bitPattern >> UInt32(23 - bucketsPerDoubling)) - lowest, 0), size - 1)
  }

  private static func middle(_ bucket: Int) -> Double {
    let bits = UInt32(bucket + lowest) << UInt32(23 - bucketsPerDoubling)
    return Double(Float(bitPattern: bits | 1 << UInt32(22 - bucketsPerDoubling)))
  }
}
