import Model
import NIOCore
import State
import Synchronization

/// How coordinates are collected (`consul.coordinate`).
public struct CoordinateBatching: Sendable, Equatable {
  /// How long news are gathered.
  public var period = GoDuration.seconds(5)
  /// Coordinates in one command.
  public var batchSize = 128
  /// Commands in one period: beyond, news are lost until the nodes send others.
  public var batchLimit = 5

  public init() {}

  /// Nodes in one period; settings are the user's, so that their product may be anything.
  var capacity: Int {
    let (product, overflow) = max(batchSize, 1).multipliedReportingOverflow(by: max(batchLimit, 1))
    return overflow ? .max : product
  }
}

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

  private let settings: CoordinateBatching
  private let loop: any EventLoop
  private let propose: @Sendable (Command) -> Void
  private let state = Mutex(State())

  init(_ settings: CoordinateBatching, loop: any EventLoop, propose: @escaping @Sendable (Command) -> Void) {
    self.settings = settings
    self.loop = loop
    self.propose = propose
  }

  func add(_ coordinate: NodeCoordinate) {
    let place = Place(node: coordinate.node, segment: coordinate.segment)
    state.withLock { state in
      if state.pending[place] == nil {
        guard state.order.count < settings.capacity else { return }
        state.order.append(place)
      }
      state.pending[place] = coordinate
      if state.task == nil {
        let period = TimeAmount.nanoseconds(max(settings.period.nanoseconds, 0))
        state.task = loop.scheduleTask(in: period) { [weak self] in self?.flush() }
      }
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
    let size = max(settings.batchSize, 1)
    while !rest.isEmpty {
      propose(.coordinates(Array(rest.prefix(size))))
      rest = rest.dropFirst(size)
    }
  }
}
