import Model

/// A point on a clock that never jumps. Only differences mean anything.
public struct GossipInstant: Sendable, Hashable, Comparable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

  /// Saturates: what lies beyond the end of the clock never comes.
  static func + (instant: Self, duration: GoDuration) -> Self {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.nanoseconds)
    return Self(nanoseconds: overflow ? (duration.nanoseconds > 0 ? .max : .min) : sum)
  }

  static func - (a: Self, b: Self) -> GoDuration {
    let (difference, overflow) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
    return GoDuration(nanoseconds: overflow ? .max : difference)
  }
}

extension GoDuration {
  static func * (duration: GoDuration, factor: Int) -> GoDuration {
    let (product, overflow) = duration.nanoseconds.multipliedReportingOverflow(by: Int64(factor))
    return GoDuration(nanoseconds: overflow ? .max : product)
  }

  static func + (a: GoDuration, b: GoDuration) -> GoDuration {
    let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
    return GoDuration(nanoseconds: overflow ? .max : sum)
  }

  static func - (a: GoDuration, b: GoDuration) -> GoDuration {
    let (difference, overflow) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
    return GoDuration(nanoseconds: overflow ? .min : difference)
  }
}
