/// A point on a clock that never jumps. Only differences mean anything.
public struct MonotonicInstant: Sendable, Hashable, Comparable {
  public var nanoseconds: UInt64

  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  @inlinable
  public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

  /// Saturates instead of overflowing: a deadline beyond the end of the clock is "never".
  static func + (instant: Self, nanoseconds: UInt64) -> Self {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(nanoseconds)
    return Self(nanoseconds: overflow ? .max : sum)
  }

  /// Time since an earlier instant; 0 if `earlier` is not earlier.
  func since(_ earlier: Self) -> UInt64 {
    nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
  }
}

/// Wall-clock time as log entries carry it (`AppendedAt`). Informational; nothing is ever decided by it.
public struct WallTime: Sendable, Hashable {
  /// Seconds since 1970-01-01T00:00:00Z, negative before.
  public var seconds: Int64
  /// 0 … 999,999,999.
  public var nanoseconds: UInt32

  public init(seconds: Int64, nanoseconds: UInt32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// "Unset", which the protocol writes as 0001-01-01T00:00:00Z. Entries that were created by seeding carry it.
  public static let unset = WallTime(seconds: -62_135_596_800, nanoseconds: 0)
}

extension Duration {
  /// Whole nanoseconds, clamped to 0 … `UInt64.max`.
  var clampedNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return .max }
    let (sum, carry) = whole.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
    return carry ? .max : sum
  }
}
