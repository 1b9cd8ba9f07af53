import NIOCore
import Synchronization

/// The servers that an agent without one asks: the first one for everything, until it fails (wire/rpc.md, section 5).
public final class ServerList: Sendable {
  private struct State {
    var addresses: [String] = []
  }

  private let state: Mutex<State>

  /// - Parameter addresses: `host:port` of each server, in any order.
  public init(_ addresses: [String] = []) { state = Mutex(State(addresses: addresses.shuffled())) }

  /// All servers; the first one is asked.
  public var addresses: [String] { state.withLock { $0.addresses } }

  var first: String? { state.withLock { $0.addresses.first } }

  /// Takes over which servers there are. Those that were known keep their places.
  public func update(_ addresses: [String]) {
    state.withLock { state in
      let wanted = Set(addresses)
      let known = state.addresses.filter(wanted.contains)
      let new = wanted.subtracting(known).shuffled()
      guard !new.isEmpty || known.count != state.addresses.count else { return }
      // Somewhere: were they all at the end, nobody would ask them.
      state.addresses = new.reduce(into: known) { $0.insert($1, at: Int.random(in: 0...$0.count)) }
    }
  }

  /// A server that did not answer is asked last.
  func failed(_ address: String) {
    state.withLock { state in
      guard state.addresses.first == address, state.addresses.count > 1 else { return }
      state.addresses.append(state.addresses.removeFirst())
    }
  }

  /// A new order, so that the load of many agents stays spread when servers come and go.
  func shuffled() -> [String] { addresses.shuffled() }

  /// Takes a new order over if the servers are still the same.
  func adopt(_ order: [String]) {
    state.withLock { state in
      guard Set(order) == Set(state.addresses) else { return }
      state.addresses = order
    }
  }
}
