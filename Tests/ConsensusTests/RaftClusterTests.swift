import Logging
import Synchronization
import Testing

@testable import Consensus
@testable import Simulation

/// Three nodes with real threads, connected in memory.
@Suite(.serialized) struct RaftClusterTests {
  final class Cluster: Sendable {
    let network = MemoryNetwork()
    let machines: [ServerID: RecordingMachine]
    let nodes: Mutex<[ServerID: RaftNode]> = Mutex([:])
    let leader = Monitor<ServerID?>(nil)
    let directories: Mutex<[ServerID: String]> = Mutex([:])
    private let members: RaftConfiguration

    init(_ ids: [ServerID], spare: [ServerID] = [], storage: (ServerID) throws -> RaftStorage) throws {
      members = RaftConfiguration(servers: ids.map { RaftServer(id: $0, address: $0 + ":1") })
      machines = Dictionary(uniqueKeysWithValues: (ids + spare).map { ($0, RecordingMachine()) })
      for id in ids + spare { try start(id, storage: storage(id), bootstrap: ids.contains(id)) }
    }

    func start(_ id: ServerID, storage: RaftStorage, bootstrap: Bool) throws {
      guard let machine = machines[id] else { return }
      var logger = Logger(label: id)
      logger.logLevel = .critical
      var options = RaftOptions(
        id: id, address: id + ":1", bootstrap: bootstrap ? members : nil, logger: logger)
      options.settings.heartbeatTimeout = .milliseconds(200)
      options.settings.electionTimeout = .milliseconds(200)
      options.settings.leaderLeaseTimeout = .milliseconds(150)
      let node = try RaftNode(
        options: options, storage: storage, machine: machine, transport: network.transport(of: id)
      ) { [leader] change in
        leader.withLockAndNotify { current in
          switch change {
          case .gained: current = id
          case .lost: if current == id { current = nil }
          }
        }
      }
      nodes.withLock { $0[id] = node }
    }

    /// The leader, once there is one.
    func awaitLeader(otherThan id: ServerID? = nil) throws -> RaftNode {
      let found = leader.waitUntil { $0 != id ? $0 : nil }
      return try #require(nodes.withLock { $0[found] })
    }

    func stop(_ id: ServerID) {
      nodes.withLock { $0.removeValue(forKey: id) }?.shutdown()
    }

    func stopAll() {
      for node in nodes.withLock({ $0.values.map { $0 } }) { node.shutdown() }
    }

    /// Until every running server has applied this index; followers learn it within the commit timeout.
    func awaitApplied(_ index: LogIndex) {
      while nodes.withLock({ $0.values.contains { $0.appliedIndex < index } }) { _ = try? barrier() }
    }

    private func barrier() throws -> Applied {
      try awaitLeader().wait { try? awaitLeader().barrier(completion: $0) }
    }
  }

  @Test func commandsReachEveryServer() throws {
    let cluster = try Cluster(["a", "b", "c"]) { _ in .memory() }
    defer { cluster.stopAll() }
    let leader = try cluster.awaitLeader()
    var last: LogIndex = 0
    for number in 0..<200 { last = try leader.propose("\(number)").get().index }
    cluster.awaitApplied(last)
    let expected = (0..<200).map { Array("\($0)".utf8) }
    for machine in cluster.machines.values { #expect(machine.commands == expected) }
  }

  @Test func serversThatWereStartedEmptyFormAClusterWhenEachIsToldOfAll() throws {
    let cluster = try Cluster([], spare: ["a", "b", "c"]) { _ in .memory() }
    defer { cluster.stopAll() }
    let all = RaftConfiguration(servers: ["a", "b", "c"].map { RaftServer(id: $0, address: $0 + ":1") })
    // Whoever hears of another's election first refuses its own seed, and gets the configuration from the leader.
    for node in cluster.nodes.withLock({ Array($0.values) }) { node.bootstrap(all) { _ in } }
    let leader = try cluster.awaitLeader()
    let applied = try leader.propose("x").get()
    cluster.awaitApplied(applied.index)
    for machine in cluster.machines.values { #expect(machine.commands == [Array("x".utf8)]) }
    #expect(leader.configuration.servers == all)
  }

  @Test func commandsOnDiskReachEveryServer() throws {
    let directory = TemporaryDirectory()
    let cluster = try Cluster(["a", "b", "c"]) { try RaftStorage.open(dataDirectory: directory.path + "/" + $0) }
    defer { cluster.stopAll() }
    let leader = try cluster.awaitLeader()
    let remaining = Monitor(1000)
    for number in 0..<1000 {
      leader.propose(Array("\(number)".utf8)) { result in
        if case .failure(let error) = result { preconditionFailure("\(error)") }
        remaining.withLockAndNotify { $0 -= 1 }
      }
    }
    remaining.waitUntil { $0 == 0 ? () : nil }
    cluster.awaitApplied(leader.appliedIndex)
    for machine in cluster.machines.values { #expect(machine.commands.count == 1000) }
  }

  @Test func anotherServerTakesOverAndNothingIsLost() throws {
    let cluster = try Cluster(["a", "b", "c"]) { _ in .memory() }
    defer { cluster.stopAll() }
    let first = try cluster.awaitLeader()
    _ = try first.propose("before").get()
    let id = first.options.id
    cluster.stop(id)
    cluster.network.reportBroken(id)
    let second = try cluster.awaitLeader(otherThan: id)
    let applied = try second.propose("after").get()
    cluster.awaitApplied(applied.index)
    for (server, machine) in cluster.machines where server != id {
      #expect(machine.commands == [Array("before".utf8), Array("after".utf8)])
    }
  }

  @Test func aServerThatIsAddedLateGetsASnapshot() throws {
    let cluster = try Cluster(["a"], spare: ["b"]) { _ in .memory() }
    defer { cluster.stopAll() }
    let leader = try cluster.awaitLeader()
    for number in 0..<50 { _ = try leader.propose("\(number)").get() }
    let reader = try leader.wait { leader.snapshot(completion: $0) }
    #expect(reader.metadata.index == 52)
    let added = try leader.wait { leader.change(.addVoter(id: "b", address: "b:1"), completion: $0) }
    #expect(added.index == 53)
    let applied = try leader.propose("last").get()
    cluster.awaitApplied(applied.index)
    #expect(cluster.machines["b"]?.commands.count == 51)
  }

  @Test func leadershipIsHandedOverOnRequest() throws {
    let cluster = try Cluster(["a", "b", "c"]) { _ in .memory() }
    defer { cluster.stopAll() }
    let leader = try cluster.awaitLeader()
    let target = leader.options.id == "b" ? "c" : "b"
    let _: Void = try leader.wait { leader.transferLeadership(to: target, completion: $0) }
    let next = try cluster.awaitLeader(otherThan: leader.options.id)
    #expect(next.options.id == target)
  }

  @Test func aLeaderThatIsCutOffConfirmsNothing() throws {
    let cluster = try Cluster(["a", "b", "c"]) { _ in .memory() }
    defer { cluster.stopAll() }
    let leader = try cluster.awaitLeader()
    let _: Void = try leader.wait { leader.verifyLeader(completion: $0) }
    cluster.network.isolate([leader.options.id])
    #expect(throws: RaftError.self) {
      let _: Void = try leader.wait { leader.verifyLeader(completion: $0) }
    }
    #expect(throws: RaftError.self) { try leader.propose("lost").get() }
    let next = try cluster.awaitLeader(otherThan: leader.options.id)
    let _: Void = try next.wait { next.verifyLeader(completion: $0) }
  }
}
