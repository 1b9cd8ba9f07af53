@testable import Consensus

/// The clock that one life of a server goes by: it begins anywhere, and an hour on it is not an hour on the others.
struct ServerClock: Sendable {
  /// When this life began, in the time of the simulation.
  var origin = MonotonicInstant(nanoseconds: 0)
  /// What the clock showed then.
  var base: UInt64 = 0
  /// In 1/1000 of true time.
  var rate: UInt64 = 1000

  /// What the clock shows.
  func local(_ instant: MonotonicInstant) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: base + instant.since(origin) * rate / 1000)
  }

  /// The first instant at which the clock shows this, or later.
  func instant(of local: MonotonicInstant) -> MonotonicInstant {
    let (product, overflow) = local.since(MonotonicInstant(nanoseconds: base)).multipliedReportingOverflow(by: 1000)
    if overflow { return MonotonicInstant(nanoseconds: .max) }
    return origin + (product / rate + (product % rate == 0 ? 0 : 1))
  }
}
