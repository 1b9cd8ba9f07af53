import Gossip
import Logging
import Model
import NIOCore
import Server
import Telemetry

/// Tells the servers now and then where this agent is in the network's latency space.
struct CoordinateSender: Sendable {
  /// The least time between two messages.
  static let intervalMinimum = GoDuration.seconds(15)
  /// Messages a second that all agents of a datacenter send together.
  static let rateTarget = 64.0

  let nodeName: String
  let pool: GossipPool
  let backend: any Backend
  let datacenter: String
  let token: @Sendable () -> String

  func run(on loop: any EventLoop) async {
    let logger = LogOutput.logger("agent.coordinates")
    while !Task.isCancelled {
      let scaled = Double(pool.members.count) / Self.rateTarget * 1_000_000_000
      let pause = max(Double(Self.intervalMinimum.nanoseconds), scaled)
      // Half as long again at most, so that agents started together do not send together.
      try? await Task.sleep(for: .nanoseconds(Int64(pause * Double.random(in: 1...1.5))))
      guard !Task.isCancelled, let coordinate = pool.coordinate else { continue }
      var update = NodeCoordinate()
      update.node = nodeName
      update.coord = coordinate
      backend.write(CoordinateUpdate(update), datacenter: datacenter, token: token(), on: loop) { result in
        if case .failure(let error) = result {
          logger.debug("the coordinate was not taken", metadata: ["error": "\(error)"])
        }
      }
    }
  }
}
