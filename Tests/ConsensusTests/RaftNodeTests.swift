import Foundation
import Logging
import Synchronization
import Testing

@testable import Consensus
@testable import Simulation

/// The driver with real threads, alone.
@Suite struct RaftNodeTests {
  private static let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }()

  private func options(bootstrap: Bool = true) -> RaftOptions {
    RaftOptions(
      id: "a", address: "127.0.0.1:8300", settings: .development,
      bootstrap: bootstrap ? RaftConfiguration(servers: [RaftServer(id: "a", address: "127.0.0.1:8300")]) : nil,
      logger: Self.quiet)
  }

  /// A node that leads.
  private func start(_ storage: RaftStorage, _ machine: RecordingMachine) throws -> RaftNode {
    let leads = Promise<LeadershipChange>()
    let node = try RaftNode(options: options(), storage: storage, machine: machine) { change in
      if case .gained = change { leads.fulfil(change) }
    }
    _ = leads.wait()
    return node
  }

  @Test func aSingleServerElectsItselfAndAppliesCommands() throws {
    let machine = RecordingMachine()
    let node = try start(.memory(), machine)
    defer { node.shutdown() }
    let applied = try node.propose("x").get()
    #expect(applied.index == 3)
    #expect(applied.result as? Int == 1)
    #expect(machine.commands == [Array("x".utf8)])
    let status = node.currentStatus
    #expect(status.state == .leader)
    #expect(status.appliedIndex == 3 && status.commitIndex == 3 && status.pendingApplyCount == 0)
    #expect(status.latestConfigurationIndex == 1 && status.peerCount == 0)
    #expect(node.leader?.id == "a")
  }

  @Test func leadershipIsReportedAfterEarlierEntriesWereApplied() throws {
    let directory = TemporaryDirectory()
    let first = try start(.open(dataDirectory: directory.path), RecordingMachine())
    for number in 0..<50 { _ = try first.propose("\(number)").get() }
    first.shutdown()

    let machine = RecordingMachine()
    let seen = Promise<Int>()
    let node = try RaftNode(
      options: options(), storage: .open(dataDirectory: directory.path), machine: machine
    ) { change in
      if case .gained = change { seen.fulfil(machine.commands.count) }
    }
    #expect(seen.wait() == 50)
    node.shutdown()
  }

  /// A read that asks for confirmation must not see the state from before the restart was caught up with.
  @Test func leadershipIsNotConfirmedBeforeEarlierEntriesWereApplied() throws {
    let directory = TemporaryDirectory()
    let first = try start(.open(dataDirectory: directory.path), RecordingMachine())
    for number in 0..<20 { _ = try first.propose("\(number)").get() }
    first.shutdown()

    let gate = Gate()
    let machine = RecordingMachine(observer: gate)
    let node = try RaftNode(options: options(), storage: .open(dataDirectory: directory.path), machine: machine)
    defer { node.shutdown() }
    gate.waitForVisitor()
    let seen = Promise<Int>()
    node.verifyLeader { _ in seen.fulfil(machine.commands.count) }
    gate.open()
    #expect(seen.wait() == 20)
  }

  /// Keeps entries from being applied until it is opened.
  private final class Gate: MachineObserver {
    private let state = Monitor((isOpen: false, isVisited: false))

    func applies(_ entry: LogEntry) {
      state.withLockAndNotify { $0.isVisited = true }
      state.waitUntil { $0.isOpen ? () : nil }
    }

    func restores(_ commands: [[UInt8]], index: LogIndex, term: Term) {}
    func waitForVisitor() { state.waitUntil { $0.isVisited ? () : nil } }
    func open() { state.withLockAndNotify { $0.isOpen = true } }
  }

  @Test func acknowledgedCommandsSurviveARestart() throws {
    let directory = TemporaryDirectory()
    for round in 0..<3 {
      let machine = RecordingMachine()
      let node = try start(.open(dataDirectory: directory.path), machine)
      #expect(machine.commands.count == round)
      #expect(node.term == UInt64(round) + 2)
      _ = try node.propose("round \(round)").get()
      node.shutdown()
    }
  }

  @Test func aSecondProcessIsRefused() throws {
    let directory = TemporaryDirectory()
    let node = try start(.open(dataDirectory: directory.path), RecordingMachine())
    defer { node.shutdown() }
    #expect(throws: StorageError.inUse(path: directory.path + "/raft")) {
      try RaftStorage.open(dataDirectory: directory.path)
    }
  }

  @Test func manyProposersShareBatchesAndSeeTheirOwnResults() throws {
    let directory = TemporaryDirectory()
    let machine = RecordingMachine()
    let node = try start(.open(dataDirectory: directory.path), machine)
    let remaining = Monitor(2000)
    for number in 0..<2000 {
      node.propose(Array("\(number)".utf8)) { result in
        if case .success(let applied) = result, let position = applied.result as? Int {
          precondition(applied.index == UInt64(position) + 2)
        } else {
          preconditionFailure("a proposal failed")
        }
        remaining.withLockAndNotify { $0 -= 1 }
      }
    }
    remaining.waitUntil { $0 == 0 ? () : nil }
    #expect(machine.commands == (0..<2000).map { Array("\($0)".utf8) })
    node.shutdown()
  }

  @Test func verifyLeaderCompletesBeforeItReturnsWhenAlone() throws {
    let node = try start(.memory(), RecordingMachine())
    let confirmed = Mutex(false)
    node.verifyLeader { if case .success = $0 { confirmed.withLock { $0 = true } } }
    #expect(confirmed.withLock { $0 })
    node.shutdown()
  }

  @Test func aBarrierCompletesAfterEverythingBeforeIt() throws {
    let machine = RecordingMachine()
    let node = try start(.memory(), machine)
    for number in 0..<100 { node.propose(Array("\(number)".utf8)) { _ in } }
    let applied = try node.wait { node.barrier(completion: $0) }
    #expect(machine.commands.count == 100)
    #expect(applied.index == 103)
    node.shutdown()
  }

  @Test func aSnapshotHoldsTheStateAndShortensTheRestart() throws {
    let directory = TemporaryDirectory()
    let machine = RecordingMachine()
    let node = try start(.open(dataDirectory: directory.path), machine)
    for number in 0..<10 { _ = try node.propose("\(number)").get() }
    let reader = try node.wait { node.snapshot(completion: $0) }
    #expect(reader.metadata.index == 12)
    #expect(reader.metadata.position.configurationIndex == 1)
    #expect(node.currentStatus.lastSnapshotIndex == 12)
    _ = try node.propose("after").get()
    node.shutdown()

    let restarted = RecordingMachine()
    let again = try start(.open(dataDirectory: directory.path), restarted)
    #expect(restarted.commands.count == 11)
    #expect(restarted.state.withLock { $0.restoreCount } == 1)
    again.shutdown()
  }

  @Test func anOperatorsRestoreReplacesTheStateAtAHigherIndex() throws {
    let directory = TemporaryDirectory()
    let machine = RecordingMachine()
    let node = try start(.open(dataDirectory: directory.path), machine)
    for number in 0..<5 { _ = try node.propose("\(number)").get() }
    let content = RecordingMachine.encode([Array("restored".utf8)])
    let applied: Applied = try node.wait {
      node.restore(BytesContent(content), size: Int64(content.count), completion: $0)
    }
    // Entries 1 … 7, the restored state at 8, and a noop.
    #expect(applied.index == 9)
    #expect(machine.commands == [Array("restored".utf8)])
    #expect(try node.propose("next").get().index == 10)
    node.shutdown()

    let restarted = RecordingMachine()
    let again = try start(.open(dataDirectory: directory.path), restarted)
    #expect(restarted.commands == [Array("restored".utf8), Array("next".utf8)])
    again.shutdown()
  }

  /// A large state takes seconds, and a leader that is not heard for half a second is one no more.
  @Test func theConsensusThreadDoesNotRestoreItself() throws {
    final class Witness: MachineObserver {
      let thread = Mutex("")
      func applies(_ entry: LogEntry) {}
      func restores(_ commands: [[UInt8]], index: LogIndex, term: Term) {
        let name = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        thread.withLock { $0 = name ?? "" }
      }
    }
    let witness = Witness()
    let node = try start(.memory(), RecordingMachine(observer: witness))
    defer { node.shutdown() }
    let content = RecordingMachine.encode([Array("restored".utf8)])
    let _: Applied = try node.wait {
      node.restore(BytesContent(content), size: Int64(content.count), completion: $0)
    }
    #expect(witness.thread.withLock { $0 } == "raft-apply\n")
  }

  @Test func aRestoreThatCannotBeReadChangesNothing() throws {
    let machine = RecordingMachine()
    let node = try start(.memory(), machine)
    _ = try node.propose("kept").get()
    let content = Array("garbage".utf8)
    #expect(throws: RaftError.self) {
      let _: Applied = try node.wait {
        node.restore(BytesContent(content), size: Int64(content.count), completion: $0)
      }
    }
    #expect(throws: RaftError.self) {
      let _: Applied = try node.wait { node.restore(BytesContent(content), size: 1000, completion: $0) }
    }
    #expect(try node.propose("next").get().index == 4)
    #expect(machine.commands.count == 2)
    node.shutdown()
  }

  @Test func whoeverWaitsAtShutdownIsAnswered() throws {
    let node = try start(.memory(), RecordingMachine())
    let answered = Monitor(0)
    for _ in 0..<500 { node.propose([1]) { _ in answered.withLockAndNotify { $0 += 1 } } }
    node.shutdown()
    answered.waitUntil { $0 == 500 ? () : nil }
    #expect(throws: RaftError.shutDown) { try node.propose("late").get() }
    #expect(node.currentStatus.state == .shutdown)
    node.shutdown()
  }

  @Test func membershipAndTransferAreRefusedWithReasonsWhenAlone() throws {
    let node = try start(.memory(), RecordingMachine())
    defer { node.shutdown() }
    #expect(throws: RaftError.noTransferTarget) {
      let _: Void = try node.wait { node.transferLeadership(completion: $0) }
    }
    #expect(throws: RaftError.configurationChange(.noVoterLeft)) {
      let _: Applied = try node.wait { node.change(.removeServer(id: "a"), completion: $0) }
    }
    #expect(throws: RaftError.configurationChange(.changedSince(expected: 7, latest: 1))) {
      let _: Applied = try node.wait {
        node.change(.addNonVoter(id: "b", address: "b:1"), expectedIndex: 7, completion: $0)
      }
    }
    #expect(node.configuration.servers.servers.count == 1)
  }

  @Test func aServerWithoutConfigurationStaysAFollower() throws {
    let node = try RaftNode(options: options(bootstrap: false), storage: .memory(), machine: RecordingMachine())
    #expect(throws: RaftError.notLeader(leader: nil)) { try node.propose("x").get() }
    #expect(node.currentStatus.state == .follower)
    node.shutdown()
  }

  @Test func inMemoryTheLogStaysBounded() throws {
    var options = options()
    options.snapshots = SnapshotPolicy(logBytesMax: 256 << 10, storesSnapshots: false)
    let storage = RaftStorage.memory()
    let node = try RaftNode(options: options, storage: storage, machine: RecordingMachine())
    let command = [UInt8](repeating: 7, count: 4096)
    for _ in 0..<1000 {
      let promise = Promise<Bool>()
      node.propose(command) { if case .success = $0 { promise.fulfil(true) } else { promise.fulfil(false) } }
      _ = promise.wait()
    }
    #expect(storage.log.retainedBytes <= 600 << 10)
    node.shutdown()
  }
}
