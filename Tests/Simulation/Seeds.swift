import Glibc

@testable import Consensus

/// Which seeds a simulation runs: `SIMULATION_SEED=n` replays one, `SIMULATION_SEEDS=n` sets their number.
enum Seeds {
  static func range(defaultCount: Int) -> Range<UInt64> {
    if let text = getenv("SIMULATION_SEED"), let seed = UInt64(String(cString: text)) { return seed..<seed + 1 }
    if let text = getenv("SIMULATION_SEEDS"), let count = UInt64(String(cString: text)) { return 0..<count }
    return 0..<UInt64(defaultCount)
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
