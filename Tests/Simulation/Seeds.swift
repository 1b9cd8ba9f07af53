import Glibc

@testable import Consensus

/// Which seeds a simulation runs: `SIMULATION_SEED=n` replays one, `SIMULATION_SEEDS=n` sets their number, and
/// `SIMULATION_FIRST=n` where they begin.
enum Seeds {
  static func range(defaultCount: Int) -> Range<UInt64> {
    if let seed = number("SIMULATION_SEED") { return seed..<seed &+ 1 }
    let first = number("SIMULATION_FIRST") ?? 0
    return first..<first &+ (number("SIMULATION_SEEDS") ?? UInt64(defaultCount))
  }

  private static func number(_ name: String) -> UInt64? {
    getenv(name).flatMap { UInt64(String(cString: $0)) }
  }
}

/// What a simulation found wrong.
struct Violation: Error, CustomStringConvertible {
  var seed: UInt64
  var step: Int
  var what: String
  var description: String { "seed \(seed), step \(step): \(what) (replay with SIMULATION_SEED=\(seed))" }
}

extension RaftError {
  /// An operation of the disk failed, as opposed to: the content is wrong.
  var isFailureOfDisk: Bool {
    switch self {
    case .storage(.disk), .storage(.full), .storage(.failedBefore): true
    default: false
    }
  }
}
