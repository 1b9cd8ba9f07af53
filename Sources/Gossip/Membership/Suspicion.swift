import Glibc
import Model

/// How long a node stays suspected before it counts as dead: the more others confirm it, the shorter (Lifeguard, section
/// "Dynamic Suspicion Timeouts").
struct Suspicion: Sendable {
  let startedAt: GossipInstant
  /// Tells the timers of this suspicion from those of earlier ones.
  let generation: UInt64
  /// How many independent confirmations shorten the wait.
  private let confirmationsWanted: Int
  private let minimum: GoDuration
  private let maximum: GoDuration
  /// Who suspects the node.
  private var accusers: Set<String>
  private var confirmations = 0
  private(set) var deadline: GossipInstant

  init(
    from accuser: String, confirmationsWanted: Int, minimum: GoDuration, maximum: GoDuration, now: GossipInstant,
    generation: UInt64
  ) {
    startedAt = now
    self.generation = generation
    self.confirmationsWanted = confirmationsWanted
    self.minimum = minimum
    self.maximum = maximum
    accusers = [accuser]
    deadline = now + (confirmationsWanted < 1 ? minimum : maximum)
  }

  /// Whether the word of `accuser` is news. If so, `deadline` may have moved.
  mutating func confirm(by accuser: String) -> Bool {
    guard confirmations < confirmationsWanted, accusers.insert(accuser).inserted else { return false }
    confirmations += 1
    deadline = startedAt + timeout
    return true
  }

  private var timeout: GoDuration {
    let part = log(Double(confirmations + 1)) / log(Double(confirmationsWanted + 1))
    let seconds = maximum.inSeconds - part * (maximum.inSeconds - minimum.inSeconds)
    return max(minimum, .milliseconds(Int((seconds * 1000).rounded(.down))))
  }

  /// The shortest time for which a node is suspected in a cluster of `nodeCount`.
  static func minimumTimeout(multiplier: Int, nodeCount: Int, probeInterval: GoDuration) -> GoDuration {
    let scale = max(1, log10(Double(max(1, nodeCount))))
    let product = probeInterval * multiplier * Int(scale * 1000)
    return GoDuration(nanoseconds: product.nanoseconds / 1000)
  }
}
