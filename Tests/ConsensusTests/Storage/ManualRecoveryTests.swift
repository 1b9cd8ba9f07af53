import Logging
import Synchronization
import Testing

@testable import Consensus
@testable import Simulation

/// What an operator can do when a majority of the servers is lost for good.
@Suite struct ManualRecoveryTests {
  private static let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }()

  private static let alone = RaftConfiguration(servers: [RaftServer(id: "a", address: "127.0.0.9:8300")])

  private func start(
    _ storage: RaftStorage, _ machine: RecordingMachine, bootstrap: RaftConfiguration?
  ) throws -> RaftNode {
    let leads = Promise<LeadershipChange>()
    let options = RaftOptions(
      id: "a", address: "127.0.0.1:8300", settings: .development, bootstrap: bootstrap, logger: Self.quiet)
    let node = try RaftNode(options: options, storage: storage, machine: machine) { change in
      if case .gained = change { leads.fulfil(change) }
    }
    _ = leads.wait()
    return node
  }

  /// A log of some commands, and one that nobody but this server has seen.
  private func filled(_ directory: TemporaryDirectory, snapshots: Bool) throws {
    let own = RaftConfiguration(servers: [RaftServer(id: "a", address: "127.0.0.1:8300")])
    let node = try start(.open(dataDirectory: directory.path), RecordingMachine(), bootstrap: own)
    for number in 0..<20 { _ = try node.propose("\(number)").get() }
    if snapshots {
      let _: any SnapshotReader = try node.wait { node.snapshot(completion: $0) }
      _ = try node.propose("after").get()
    }
    node.shutdown()
  }

  @Test(arguments: [false, true])
  func theServersOfTheOperatorGoOnWithEverythingInTheLog(snapshots: Bool) throws {
    let directory = TemporaryDirectory()
    try filled(directory, snapshots: snapshots)
    let storage = try RaftStorage.open(dataDirectory: directory.path)
    let lastIndex = storage.log.recovered().lastIndex
    // Two others that do not exist any more had to agree before.
    var three = Self.alone
    three.servers += [RaftServer(id: "b", address: "127.0.0.2:8300"), RaftServer(id: "c", address: "127.0.0.3:8300")]
    try ManualRecovery.perform(three, on: storage, machine: RecordingMachine())
    storage.close()
    for _ in 0..<2 {
      // Again, as after an interruption.
      let storage = try RaftStorage.open(dataDirectory: directory.path)
      try ManualRecovery.perform(Self.alone, on: storage, machine: RecordingMachine())
      storage.close()
    }

    let machine = RecordingMachine()
    let node = try start(.open(dataDirectory: directory.path), machine, bootstrap: nil)
    defer { node.shutdown() }
    #expect(node.configuration.servers == Self.alone)
    #expect(node.configuration.index == 1)
    #expect(node.lastIndex == lastIndex + 1)
    #expect(machine.commands.count == (snapshots ? 21 : 20))
    _ = try node.propose("new").get()
    #expect(machine.commands.last == Array("new".utf8))
  }

  @Test func aServerWithoutAnyStateHasNothingToRecover() throws {
    let directory = TemporaryDirectory()
    let storage = try RaftStorage.open(dataDirectory: directory.path)
    defer { storage.close() }
    #expect(throws: RaftError.nothingToRecover) {
      try ManualRecovery.perform(Self.alone, on: storage, machine: RecordingMachine())
    }
  }

  @Test(arguments: [
    (RaftConfiguration(), ConfigurationChangeError.noVoterLeft),
    (RaftConfiguration(servers: [RaftServer(id: "", address: "x:1")]), .emptyID),
    (
      RaftConfiguration(servers: [RaftServer(id: "a", address: "x:1"), RaftServer(id: "a", address: "y:1")]),
      .duplicateID("a")
    ),
  ])
  func aConfigurationWithoutSenseChangesNothing(
    configuration: RaftConfiguration, error: ConfigurationChangeError
  ) throws {
    let directory = TemporaryDirectory()
    try filled(directory, snapshots: false)
    let storage = try RaftStorage.open(dataDirectory: directory.path)
    let before = storage.log.recovered()
    #expect(throws: RaftError.configurationChange(error)) {
      try ManualRecovery.perform(configuration, on: storage, machine: RecordingMachine())
    }
    #expect(storage.log.recovered() == before)
    storage.close()
  }
}
