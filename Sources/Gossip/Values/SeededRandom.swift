import Model

/// A small generator with value semantics (SplitMix64), so that a core's choices replay exactly from its seed.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed &>> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed &>> 31)
  }

  /// Uniform in 0 ..< `limit`.
  mutating func part(of limit: GoDuration) -> GoDuration {
    guard limit.nanoseconds > 0 else { return .zero }
    return GoDuration(nanoseconds: Int64.random(in: 0..<limit.nanoseconds, using: &self))
  }
}
