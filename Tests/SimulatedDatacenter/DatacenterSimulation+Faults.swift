@testable import Consensus
@testable import Simulation

// What goes wrong.
extension DatacenterSimulation {
  func anyConditions() -> SimulatedNetwork.Conditions {
    SimulatedNetwork.Conditions(
      loss: [0, 0, 20, 100].randomElement(using: &random) ?? 0,
      duplication: [0, 50].randomElement(using: &random) ?? 0,
      interruption: [0, 300].randomElement(using: &random) ?? 0,
      delayMax: [1_000_000, 5_000_000, 20_000_000, 150_000_000].randomElement(using: &random) ?? 1_000_000)
  }

  func disturb() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<14: cluster.crash()
    case 14..<40:
      if let position = cluster.servers.indices.filter({ !cluster.servers[$0].isRunning }).randomElement(using: &random)
      {
        try start(position)
      }
    case 40..<46: cluster.partition(agents)
    case 46..<52:
      // One direction only.
      let pair = (cluster.servers.map(\.id) + agents).shuffled(using: &random).prefix(2)
      cluster.network.oneWay.insert(Array(pair))
    case 52..<63:
      cluster.network.cut = []
      cluster.network.oneWay = []
      cluster.network.slow = [:]
    case 63..<66: cluster.network.conditions = anyConditions()
    case 66..<68:
      // It works, but everything takes long.
      guard let id = cluster.servers.randomElement(using: &random)?.id else { return }
      cluster.network.slow[id] = UInt64.random(in: 20_000_000...400_000_000, using: &random)
    case 68: cluster.losePowerEverywhere()
    case 69: wallClocks.randomElement(using: &random)?.set(Int64.random(in: 0...4_000_000_000, using: &random))
    case 70..<74: cluster.transfer { _ in }
    case 74..<80: cluster.takeSnapshot()
    case 80..<86:
      // The process stops, or its machine does; for it no time has passed when it goes on.
      let pause = UInt64.random(in: 50_000_000...5_000_000_000, using: &random)
      cluster.running.randomElement(using: &random)?.pausedUntil = cluster.now + pause
    case 86..<92:
      let busy = UInt64.random(in: 20_000_000...1_500_000_000, using: &random)
      cluster.running.randomElement(using: &random)?.diskBusyUntil = cluster.now + busy
    default: if plan.spares > 0, pool == nil { cluster.changeMembership { _ in } }
    }
  }
}
