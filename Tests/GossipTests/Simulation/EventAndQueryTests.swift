import Model
import Testing

@testable import Gossip

@Suite struct EventAndQueryTests {
  @Test(arguments: UInt64(0)..<4) func everyMemberHearsAnEventOnce(_ seed: UInt64) throws {
    let simulation = GossipSimulation(seed: seed)
    simulation.faults = .init(loss: 0.10, duplication: 0.20, delay: .milliseconds(1)...(.milliseconds(300)))
    try simulation.addCluster(10)
    _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() })
    var names: [String] = []
    for round in 0..<20 {
      names.append("event-\(round)")
      try simulation.change(round % 10) {
        try $0.fire("event-\(round)", Array("payload".utf8), coalesces: false, simulation.now)
      }
      simulation.run(.milliseconds(300))
    }
    // Whoever missed one gets it by a push/pull.
    simulation.run(.minutes(3))
    for index in simulation.hosts.indices {
      #expect(simulation.userEvents(index).sorted() == names.sorted(), "seed \(seed), host \(index)")
    }
  }

  @Test func whoJoinsHearsOldEventsUnlessItDoesNotWantTo() throws {
    let simulation = GossipSimulation(seed: 1)
    try simulation.addCluster(3)
    _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() })
    try simulation.change(0) { try $0.fire("old", [], coalesces: false, simulation.now) }
    simulation.run(.seconds(5))
    for ignores in [false, true] {
      let index = try simulation.add()
      simulation.join(index, [1], ignoresOldEvents: ignores)
    }
    simulation.run(.seconds(5))
    try simulation.change(2) { try $0.fire("new", [], coalesces: false, simulation.now) }
    simulation.run(.minutes(3))
    #expect(simulation.userEvents(3) == ["old", "new"])
    #expect(simulation.userEvents(4) == ["new"])
  }

  @Test func eventsHaveALimit() throws {
    let simulation = GossipSimulation(seed: 1)
    try simulation.add()
    for (count, error) in [
      (501, GossipError.eventTooLarge(limit: 512, afterEncoding: true)),
      (511, .eventTooLarge(limit: 512, afterEncoding: false)),
    ] {
      #expect(throws: error) {
        try simulation.change(0) {
          try $0.fire("ev", [UInt8](repeating: 0, count: count), coalesces: false, simulation.now)
        }
      }
    }
    try simulation.change(0) { try $0.fire("ev", [UInt8](repeating: 0, count: 460), coalesces: true, simulation.now) }
    #expect(simulation.userEvents(0) == ["ev"])
  }

  @Test(arguments: [UInt8(0), 2]) func allMembersAnswerAQuery(_ relayFactor: UInt8) throws {
    let simulation = GossipSimulation(seed: 4)
    try simulation.addCluster(6)
    _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() })
    for index in 0..<6 { simulation.setAnswer(index, to: "uptime", [UInt8(index)]) }
    var options = QueryOptions()
    options.wantsAcknowledgement = true
    options.relayFactor = relayFactor
    try simulation.change(2) { try $0.query(7, "uptime", [1], options, simulation.now) }
    simulation.run(.seconds(10))
    let outcomes = try #require(simulation.hosts[2].outcomes[7])
    #expect(outcomes.count == 13)
    #expect(outcomes.last == .finished)
    for index in 0..<6 {
      #expect(outcomes.contains(.acknowledged(by: "n\(index)")))
      #expect(outcomes.contains(.answered(by: "n\(index)", payload: [UInt8(index)])))
    }
  }

  @Test func relaysBringAnswersThroughLoss() throws {
    func answers(relayFactor: UInt8) throws -> Int {
      var count = 0
      for seed in UInt64(0)..<6 {
        let simulation = GossipSimulation(seed: seed)
        try simulation.addCluster(8)
        _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() })
        simulation.faults.loss = 0.3
        for index in 0..<8 { simulation.setAnswer(index, to: "q", [1]) }
        var options = QueryOptions()
        options.relayFactor = relayFactor
        try simulation.change(0) { try $0.query(1, "q", [], options, simulation.now) }
        simulation.run(.seconds(10))
        count += (simulation.hosts[0].outcomes[1]?.count ?? 1) - 1
      }
      return count
    }
    let (without, with) = (try answers(relayFactor: 0), try answers(relayFactor: 4))
    #expect(with > without, "\(with) answers with relays, \(without) without")
  }

  @Test func filtersChooseWhoAnswers() throws {
    let simulation = GossipSimulation(seed: 4)
    try simulation.addCluster(4) { $0.tags = ["role": $0.name == "n1" ? "web" : "db", "version": "1.2"] }
    _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() })
    for index in 0..<4 { simulation.setAnswer(index, to: "q", [1]) }
    let cases: [([QueryFilter], [String])] = [
      ([.nodes(["n2", "n3"])], ["n2", "n3"]),
      ([.tag(name: "role", expression: "^we")], ["n1"]),
      ([.tag(name: "version", expression: "1\\.2"), .nodes(["n0"])], ["n0"]),
      ([.tag(name: "absent", expression: "x")], []), ([.tag(name: "role", expression: "(")], []),
    ]
    for (request, (filters, expected)) in cases.enumerated() {
      var options = QueryOptions()
      options.filters = filters
      try simulation.change(0) { try $0.query(UInt64(request), "q", [], options, simulation.now) }
      simulation.run(.seconds(10))
      let names = (simulation.hosts[0].outcomes[UInt64(request)] ?? []).compactMap {
        if case .answered(let name, _) = $0 { name } else { nil }
      }
      #expect(names.sorted() == expected)
    }
  }

  @Test func answersHaveALimitAndADeadline() throws {
    let simulation = GossipSimulation(seed: 4)
    try simulation.add()
    try simulation.change(0) { try $0.query(1, "q", [], QueryOptions(), simulation.now) }
    guard case .query(let query)? = simulation.hosts[0].events.last else {
      Issue.record("a query expected")
      return
    }
    #expect(throws: GossipError.responseTooLarge(limit: 1024)) {
      try simulation.change(0) { try $0.respond(query.key, [UInt8](repeating: 0, count: 1024), simulation.now) }
    }
    try simulation.change(0) { try $0.respond(query.key, [1], simulation.now) }
    #expect(throws: GossipError.queryFinished) {
      try simulation.change(0) { try $0.respond(query.key, [1], simulation.now) }
    }
    let error = #expect(throws: GossipError.self) {
      try simulation.change(0) {
        try $0.query(2, "q", [UInt8](repeating: 0, count: 1024), QueryOptions(), simulation.now)
      }
    }
    #expect(error?.description == "query exceeds limit of 1024 bytes")
  }

  // MARK: Keys

  static let first = [UInt8](repeating: 1, count: 16)
  static let second = [UInt8](repeating: 2, count: 32)

  @Test func keysAreExchangedWithoutLosingAnybody() throws {
    let simulation = GossipSimulation(seed: 9)
    let keyring = try GossipKeyring(keys: [Self.first])
    try simulation.addCluster(6) { $0.keyring = keyring }
    _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() })
    let operations: [KeyOperation] = [
      .list, .install(Self.second), .use(Self.second), .remove(Self.first), .remove(Self.second), .use(Self.first),
      .list,
    ]
    for (request, operation) in operations.enumerated() {
      try simulation.change(2) { try $0.keys(UInt64(request), operation, relayFactor: 0, simulation.now) }
      simulation.run(.seconds(10))
    }
    let results = simulation.hosts[2].keyResults
    let (firstText, secondText) = (Base64.encode(Self.first), Base64.encode(Self.second))
    #expect(results[0]?.keys == [firstText: 6])
    for request in UInt64(1)...3 {
      #expect(results[request]?.responseCount == 6)
      #expect(results[request]?.errorCount == 0)
    }
    #expect(results[4]?.errorCount == 6)
    #expect(results[4]?.messages["n5"] == "Removing the primary key is not allowed")
    #expect(results[5]?.messages["n5"] == "Requested key is not in the keyring")
    #expect(results[6]?.keys == [secondText: 6])
    #expect(results[6]?.primaryKeys == [secondText: 6])
    #expect(simulation.hosts[4].keptKeys == [[firstText, secondText], [secondText, firstText], [secondText]])
    simulation.run(.minutes(2))
    #expect(simulation.isWhole())
    #expect(simulation.hosts.indices.allSatisfy { simulation.failures($0).isEmpty })
  }

  @Test func withoutTheKeyNobodyGetsIn() throws {
    let simulation = GossipSimulation(seed: 9)
    let keyring = try GossipKeyring(keys: [Self.first])
    let other = try GossipKeyring(keys: [Self.second])
    try simulation.add("a", { $0.keyring = keyring })
    try simulation.add("b", { $0.keyring = other })
    try simulation.add("c")
    simulation.join(1, [0])
    simulation.join(2, [0])
    simulation.run(.seconds(30))
    #expect(simulation.hosts[0].core.members.count == 1)
    #expect(simulation.hosts[1].joins[1]?.joined == 0)
    #expect(simulation.hosts[2].joins[1]?.joined == 0)
  }

  @Test func aKeyIsInstalledWhereTheNextStartWillKnowItToo() throws {
    let simulation = GossipSimulation(seed: 9)
    let keyring = try GossipKeyring(keys: [Self.first])
    try simulation.addCluster(3) { $0.keyring = keyring }
    _ = try #require(simulation.run(.seconds(30)) { simulation.isWhole() })
    // One disk is broken, and one busy.
    simulation.hosts[1].keepProblem = "no space left"
    simulation.hosts[2].waitingKeys = []
    try simulation.change(0) { try $0.keys(1, .install(Self.second), relayFactor: 0, simulation.now) }
    simulation.run(.milliseconds(500))
    #expect(simulation.hosts[0].keyResults[1] == nil)
    let token = try #require(simulation.hosts[2].waitingKeys?.first)
    simulation.change(2) { $0.keysKept(token, problem: nil, simulation.now) }
    simulation.run(.seconds(10))
    let result = try #require(simulation.hosts[0].keyResults[1])
    #expect(result.responseCount == 3 && result.errorCount == 1 && result.messages == ["n1": "no space left"])
  }

  @Test func keysOfAPoolWithoutEncryption() throws {
    let simulation = GossipSimulation(seed: 9)
    try simulation.add()
    try simulation.change(0) { try $0.keys(1, .list, relayFactor: 0, simulation.now) }
    try simulation.change(0) { try $0.keys(2, .install(Self.first), relayFactor: 0, simulation.now) }
    simulation.run(.seconds(5))
    #expect(simulation.hosts[0].keyResults[1]?.messages == ["n0": "Keyring is empty (encryption not enabled)"])
    #expect(
      simulation.hosts[0].keyResults[2]?.messages == ["n0": "No keyring to modify (encryption not enabled)"])
  }
}
