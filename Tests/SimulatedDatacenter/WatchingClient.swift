import Model

@testable import Server
@testable import State

/// Follows a key by blocking queries, at a different server each time, as programs do that go through any agent.
final class WatchingClient: SimulatedClient {
  let number: Int
  let key: String
  private var index: UInt64 = 0
  private var seen: UInt64?

  init(number: Int, key: String) {
    self.number = number
    self.key = key
  }

  func turn(_ simulation: DatacenterSimulation) {
    simulation.follow(key, from: index, seen: seen) { [self] outcome in
      if case .answered(let answer) = outcome {
        // An index that goes back begins anew, as the documentation of blocking queries tells clients.
        index = answer.index < index ? 0 : answer.index
        seen = answer.value?.value.modifyIndex
      }
      simulation.goOn(self)
    }
  }

  /// Whether it knows the key as it is.
  func hasSeen(_ state: StateSnapshot) -> Bool { state.kvEntry(key).value?.value.modifyIndex == seen }
}
