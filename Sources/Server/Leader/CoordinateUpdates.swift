import Model
import NIOCore
import State
import Synchronization

/// The coordinates that a leader has heard of and not logged yet. The newest of a node counts.
final class CoordinateUpdates: Sendable {
  private struct State {
    var pending: [Place: NodeCoordinate] = [:]
    var order: [Place] = []
    var task: Scheduled<Void>?
  }

  private struct Place: Hashable {
    let node: String
    let segment: String
  }

  /// How long news are gathered.
  private static let period = TimeAmount.seconds(5)
  /// Coordinates in one command, and commands in one period: beyond, news are lost until the nodes send others.
  static let batchSize = 128
  static let batchCount = 5

  private let loop: any EventLoop
  private let propose: @Sendable (Command) -> Void
  private let state = Mutex(State())

  init(loop: any EventLoop, propose: @escaping @Sendable (Command) -> Void) {
    self.loop = loop
    self.propose = propose
  }

  func add(_ coordinate: NodeCoordinate) {
    let place = Place(node: coordinate.node, segment: coordinate.segment)
    state.withLock { state in
      if state.pending[place] == nil {
        guard state.order.count < Self.batchSize * Self.batchCount else { return }
        state.order.append(place)
      }
      state.pending[place] = coordinate
      if state.task == nil { state.task = loop.scheduleTask(in: Self.period) { [weak self] in self?.flush() } }
    }
  }

  /// Forgets what was gathered: this server does not lead any more.
  func clear() {
    state.withLock { state in
      state.task?.cancel()
      state = State()
    }
  }

  private func flush() {
    let news = state.withLock { state in
      defer { state = State() }
      return state.order.compactMap { state.pending[$0] }
    }
    var rest = news[...]
    while !rest.isEmpty {
      propose(.coordinates(Array(rest.prefix(Self.batchSize))))
      rest = rest.dropFirst(Self.batchSize)
    }
  }
}
