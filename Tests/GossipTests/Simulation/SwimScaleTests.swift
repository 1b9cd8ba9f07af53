import Foundation
import Model
import Testing

@testable import Gossip

/// How fast a pool learns of a death and of an event. `PROCONSUL_GOSSIP_MEMBERS=10000` prints the figures for that many.
@Suite struct SwimScaleTests {
  struct Figures {
    /// From the crash to the first suspicion, to the first who takes it for a death, and to the last.
    var suspected, firstDeath, lastDeath: GoDuration
    /// From an event to all members that hear of it.
    var event: GoDuration
    var falseDeaths: Int
    var datagrams: Int
  }

  static func measure(_ count: Int, seed: UInt64, loss: Double = 0) throws -> Figures {
    let simulation = SwimSimulation(count: count, seed: seed)
    simulation.loss = loss
    _ = simulation.run(.seconds(2)) { false }
    let message = Array("deploy".utf8)
    simulation.tell(message, by: 1)
    let event = try #require(simulation.run(.seconds(30)) { simulation.heard[message]?.count == count })
    _ = simulation.run(.seconds(5)) { false }
    let crashed = simulation.now
    simulation.crash(0)
    _ = try #require(simulation.run(.minutes(4)) { simulation.deaths.count == count - 1 }, "seed \(seed)")
    let falseDeaths = simulation.cores[1].nodes.values.count { $0.state.isGone && $0.name != "n0" }
    return Figures(
      suspected: try #require(simulation.firstSuspicion) - crashed,
      firstDeath: try #require(simulation.deaths.values.min()) - crashed, lastDeath: simulation.now - crashed,
      event: event, falseDeaths: falseDeaths, datagrams: simulation.datagramCount)
  }

  @Test(arguments: [UInt64(1), 2, 3]) func twoHundredMembersLearnOfADeathAndOfAnEventInTime(_ seed: UInt64) throws {
    let figures = try Self.measure(200, seed: seed, loss: 0.01)
    // A message is sent to three others every 200 ms: all know it after some log4(n) rounds.
    #expect(figures.event <= .seconds(3))
    // SWIM, section 3.2: the first probe of it comes after e/(e-1) intervals in the mean; here within five, and its end one later.
    #expect(figures.suspected <= .seconds(8))
    // Lifeguard: at least 4 × log10(n) intervals of suspicion, not more than six times as many.
    #expect(figures.firstDeath - figures.suspected >= .seconds(9))
    #expect(figures.firstDeath - figures.suspected <= .seconds(20))
    #expect(figures.lastDeath - figures.firstDeath <= .seconds(3))
    #expect(figures.falseDeaths == 0)
  }

  private static let memberCount = ProcessInfo.processInfo.environment["PROCONSUL_GOSSIP_MEMBERS"].flatMap { Int($0) }

  @Test(.enabled(if: memberCount != nil, "prints figures; set PROCONSUL_GOSSIP_MEMBERS")) func figures() throws {
    for (seed, loss) in [(UInt64(1), 0.0), (2, 0.0), (3, 0.01), (4, 0.05)] {
      let figures = try Self.measure(Self.memberCount ?? 0, seed: seed, loss: loss)
      print(
        "\(Self.memberCount ?? 0) members, loss \(loss): event heard by all after \(figures.event), death suspected after "
          + "\(figures.suspected), first known after \(figures.firstDeath), by all after \(figures.lastDeath); "
          + "false deaths \(figures.falseDeaths), datagrams \(figures.datagrams)")
    }
  }
}
