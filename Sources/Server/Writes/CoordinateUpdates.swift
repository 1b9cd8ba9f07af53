import Model
import NIOCore
import State
import Synchronization
import Telemetry

/// Stores the coordinate of a node. Nobody waits for it: the leader collects coordinates and logs them in batches.
public struct CoordinateUpdate: WriteRequest {
  public static let method = "Coordinate.Update"
  /// Numbers of the Euclidean part.
  private static let dimensions = 8
  public var coordinate: NodeCoordinate

  public init(_ coordinate: NodeCoordinate) { self.coordinate = coordinate }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    guard let place = coordinate.coord, place.isFinite else { throw .invalid("invalid coordinate") }
    guard place.vec.count == Self.dimensions else { throw .invalid("incompatible coordinate") }
    context.updateCoordinate(coordinate)
    return .immediate(true)
  }
}

/// How coordinates are collected (`consul.coordinate`).
public struct CoordinateBatching: Sendable, Equatable {
  /// How long coordinates are collected.
  public var period = GoDuration.seconds(5)
  /// Coordinates of one command.
  public var batchSize = 128
  /// Commands of one period. What is more gets lost; nodes send again.
  public var batchLimit = 5

  public init() {}
}

/// Coordinates that wait to be logged, the newest of each node.
final class CoordinateUpdates: Sendable {
  private struct Place: Hashable {
    var node: String
    var segment: String
  }

  private struct State {
    var waiting: [Place: NodeCoordinate] = [:]
    var isScheduled = false
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
    let mustSchedule = state.withLock { state in
      let limit = max(settings.batchSize, 1) * max(settings.batchLimit, 1)
      if state.waiting.count >= limit, state.waiting[place] == nil { return false }
      state.waiting[place] = coordinate
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    guard mustSchedule else { return }
    loop.scheduleTask(in: .nanoseconds(max(settings.period.nanoseconds, 0))) { self.flush() }
  }

  private func flush() {
    let waiting = state.withLock { state in
      defer { state = State() }
      return state.waiting.values.sorted { ($0.node, $0.segment) < ($1.node, $1.segment) }
    }
    let size = max(settings.batchSize, 1)
    for start in stride(from: 0, to: waiting.count, by: size) {
      propose(.coordinates(Array(waiting[start..<min(start + size, waiting.count)])))
    }
  }
}
