import Model

@testable import Consensus
@testable import Server
@testable import Simulation
@testable import State

// What has to hold when everything works again.
extension DatacenterSimulation {
  /// With everything working again and clients gone: all servers agree about one state, and no session is left.
  func mend() throws {
    isLoadOver = true
    cluster.mend()
    let deadline = cluster.now + 120_000_000_000
    let stepsMax = cluster.step + 500_000
    let marker = Marker()
    var nextTry: UInt64 = 0
    while cluster.now < deadline {
      if cluster.step > stepsMax { throw cluster.violation("busy without getting anywhere: \(cluster.summary)") }
      try step()
      for position in cluster.servers.indices where !cluster.servers[position].isRunning { try start(position) }
      if marker.index == nil, clock.now >= nextTry {
        nextTry = clock.now + 100_000_000
        var entry = KVEntry()
        entry.key = "marker"
        write(KVApply(.set, entry)) { outcome in if case .answered(true) = outcome { marker.index = 1 } }
      }
      if marker.index != nil, openCount <= watchers.count, isSettled { return try checkAgreement() }
    }
    throw cluster.violation("not settled two minutes after everything was mended: \(cluster.summary)")
  }

  private final class Marker { var index: LogIndex? }

  /// The servers of the leader's configuration.
  var members: [Server] {
    guard let leader = cluster.leaders.first, let core = leader.replica?.core else { return [] }
    let ids = core.membership.latest.servers.map(\.id)
    return cluster.servers.filter { ids.contains($0.id) }
  }

  /// Everybody has everything, whoever waits for a change has heard of it, and sessions that nobody renews are over.
  private var isSettled: Bool {
    guard let leader = cluster.leaders.first, leader.machine.leadership.isLeading else { return false }
    let state = leader.machine.store.current
    return state.sessions().value.isEmpty && watchers.allSatisfy { $0.hasSeen(state) }
      && members.allSatisfy { $0.machine.lastIndex == leader.replica?.core.log.lastIndex }
  }

  private func checkAgreement() throws {
    let index = members.first?.machine.lastIndex ?? 0
    let expected = oversight.state(at: index)
    for server in members where server.machine.store.current.bytes != expected {
      throw cluster.violation("\(server.id) has another state at \(index) than the decided commands make")
    }
    let entry = members.first?.machine.store.current.kvEntry(LockBook.lock).value
    if let entry, !entry.value.session.isEmpty { throw cluster.violation("the lock outlived its session") }
  }

  func checkClients() throws {
    guard let state = members.first?.machine.store.current else { return }
    for register in registers.registers {
      let last = state.kvEntry(register.key).value.map { RegisterClient.number($0.value) } ?? 0
      let now = clock.now
      let final = RegisterOperation(client: -1, kind: .read, invoked: now, returned: now, result: last)
      let history = register.operations + [final]
      guard LinearizabilityChecker.isLinearizable(history) else {
        let told = history.sorted { $0.invoked < $1.invoked }.map(\.description).joined(separator: "\n")
        throw cluster.violation("the history of \(register.key) is not linearizable:\n\(told)")
      }
    }
    let counter = state.kvEntry(LockBook.counter).value.map { RegisterClient.number($0.value) } ?? 0
    if let contradiction = locks.contradiction(counter: counter) { throw cluster.violation(contradiction) }
  }
}
