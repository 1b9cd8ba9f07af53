import Model
import Testing
import Wire

@testable import DNSServer

@Suite("How much of an answer is sent")
struct AnswerSizeTests {
  var resolver: TestResolver

  init() {
    let resolver = TestResolver()
    for index in 1...30 {
      let name = index < 10 ? "n0\(index)" : "n\(index)"
      resolver.catalog.addNode(name, "192.0.2.\(index)")
      resolver.catalog.addService("big", on: name, port: 9000 + index)
    }
    self.resolver = resolver
  }

  /// What is compared: how many answers and additional records, whether TC is set, and the payload size of OPT.
  struct Extent: Equatable {
    var answers: Int
    var additionals = 0
    var isTruncated = false
    var payload: UInt16?
  }

  private func extent(
    _ type: DNSRecordType, edns: UInt16? = nil, _ resolver: TestResolver? = nil
  ) throws -> Extent {
    let answer = try #require(try (resolver ?? self.resolver).ask("big.service.consul", type, edns: edns))
    #expect(answer.code == "NOERROR")
    return Extent(
      answers: answer.answer.count, additionals: answer.additional.count, isTruncated: answer.flags.contains("TC"),
      payload: answer.payload)
  }

  @Test func clientsWithoutEDNSGetThreeAnswers() throws {
    #expect(try extent(.a) == Extent(answers: 3))
    #expect(try extent(.any) == Extent(answers: 3))
    #expect(try extent(.srv) == Extent(answers: 3, additionals: 3))
    #expect(try extent(.a, edns: 512) == Extent(answers: 3))
  }

  @Test func clientsWithEDNSGetWhatFits() throws {
    #expect(try extent(.a, edns: 4096) == Extent(answers: 30, payload: 4096))
    #expect(try extent(.srv, edns: 4096) == Extent(answers: 30, additionals: 30, payload: 4096))
    #expect(try extent(.srv, edns: 65000) == Extent(answers: 30, additionals: 30, payload: 65000))
    // 12 bytes of header, 24 of question, 55 for each pair of SRV and A.
    #expect(try extent(.srv, edns: 1000) == Extent(answers: 17, additionals: 17))
  }

  @Test func connectionsGetAll() throws {
    var resolver = resolver
    resolver.transport = .stream
    #expect(try extent(.a, resolver) == Extent(answers: 30))
    #expect(try extent(.srv, resolver) == Extent(answers: 30, additionals: 30))
  }

  @Test(arguments: [(5, 5), (100, 8), (1, 1), (0, 1), (-3, 1)])
  func theLimitOfDatagramsIsASettingUpToEight(setting: Int, expected: Int) throws {
    var resolver = resolver
    resolver.settings.udpAnswerLimit = setting
    resolver.settings.enableTruncate = true
    #expect(try extent(.a, resolver) == Extent(answers: expected, isTruncated: true))
    #expect(try extent(.a, edns: 4096, resolver) == Extent(answers: 30, payload: 4096))
    #expect(try resolver.ask("n01.node.consul")?.flags == ["AA", "RD"])
  }

  @Test func fullDatagramsAreMarkedAsTruncatedIfWanted() throws {
    var resolver = resolver
    resolver.settings.enableTruncate = true
    #expect(try extent(.srv, edns: 1000, resolver) == Extent(answers: 17, additionals: 17, isTruncated: true))
    #expect(try extent(.srv, edns: 4096, resolver) == Extent(answers: 30, additionals: 30, payload: 4096))
  }

  @Test func theLimitOfAddressesHoldsOnEveryTransportButNotForSRV() throws {
    var resolver = resolver
    resolver.settings.aRecordLimit = 2
    resolver.settings.enableTruncate = true
    #expect(try extent(.a, resolver) == Extent(answers: 2))
    #expect(try extent(.srv, resolver) == Extent(answers: 3, additionals: 3, isTruncated: true))
    #expect(try extent(.srv, edns: 65000, resolver) == Extent(answers: 30, additionals: 30, payload: 65000))
    resolver.transport = .stream
    #expect(try extent(.a, resolver) == Extent(answers: 2))
    #expect(try extent(.any, resolver) == Extent(answers: 2))
  }

  @Test func withoutCompressionLessFits() throws {
    var resolver = resolver
    resolver.settings.disableCompression = true
    // 57 bytes of SRV and 35 of A for each instance.
    #expect(try extent(.srv, edns: 1000, resolver) == Extent(answers: 10, additionals: 10))
  }

  @Test func everyInstanceIsAnsweredEquallyOften() throws {
    var resolver = resolver
    var counts: [String: Int] = [:]
    for seed in 0..<3000 {
      resolver.seed = UInt64(seed)
      for record in try resolver.ask("big.service.consul")?.answer ?? [] { counts[record, default: 0] += 1 }
    }
    // 300 each are expected; six standard deviations are about 100.
    #expect(counts.count == 30)
    #expect(counts.values.allSatisfy { (200...400).contains($0) })
  }

  @Test func answersComeInARandomOrder() throws {
    var resolver = resolver
    resolver.transport = .stream
    var orders: Set<[String]> = []
    for seed in 0..<10 {
      resolver.seed = UInt64(seed)
      orders.insert(try resolver.resolve("big.service.consul").1?.answers.map(\.text) ?? [])
    }
    #expect(orders.count == 10)
  }

  @Test func metadataGivesWayToTheAnswer() throws {
    let resolver = TestResolver()
    let long = StringMap((0..<20).map { (key: "key\($0)", value: String(repeating: "x", count: 100)) })
    resolver.catalog.addNode("n", "192.0.2.1", meta: long)
    let answer = try #require(try resolver.ask("n.node.consul"))
    #expect(answer == Answer(["n.node.consul. 0 A 192.0.2.1"]))
    #expect(try resolver.ask("n.node.consul", edns: 4096)?.additional.count == 20)
  }

  @Test func whatCannotBeSentAtAllIsMarkedAsTruncated() throws {
    let resolver = TestResolver()
    resolver.catalog.addNode("n", "192.0.2.1", meta: ["key": String(repeating: "x", count: 600)])
    #expect(try resolver.ask("n.node.consul", .txt) == Answer(flags: ["AA", "RD", "TC"]))
    #expect(try resolver.ask("n.node.consul", .txt, edns: 1232)?.answer.count == 1)
  }

  @Test func connectionsGetAtMostWhatAMessageHolds() throws {
    var resolver = TestResolver()
    resolver.transport = .stream
    resolver.settings.enableTruncate = true
    for index in 0..<1500 {
      resolver.catalog.addNode("node-\(index)", "10.0.\(index / 250).\(index % 250)")
      resolver.catalog.addService("huge", on: "node-\(index)", port: index)
    }
    let message = try #require(try resolver.resolve("huge.service.consul", .srv).1)
    #expect(message.header.flags.contains(.truncated))
    #expect((900..<1500).contains(message.answers.count))
    #expect(message.answers.count == message.additionals.count)
    resolver.settings.enableTruncate = false
    #expect(try resolver.resolve("huge.service.consul", .srv).1?.header.flags.contains(.truncated) == false)
  }

  @Test func theSubnetOfTheClientIsRepeatedWithTheScopeOfTheAnswer() throws {
    let resolver = TestResolver()
    resolver.catalog.addNode("n1", "192.0.2.1")
    resolver.catalog.addService("web", on: "n1")
    resolver.catalog.change { $0.queries["q"] = ("web", nil) }
    let subnet = DNSClientSubnet(address: .v4(0xC000_0200), sourcePrefix: 24)
    for (name, scope) in [("web.service.consul", UInt8(0)), ("q.query.consul", 24)] {
      let query = DNSQuery(
        id: 1, flags: [], question: DNSQuestion(name: try DNSName(name), type: .a),
        extension: DNSExtension(payloadSize: 1232, clientSubnet: subnet))
      let configuration = try ResolverConfiguration(resolver.settings)
      let response = ResponseWriter(query, .datagram, configuration)
      var resolving = Resolver(
        configuration: configuration, context: resolver.catalog, client: subnet.address,
        now: 0, answerLimit: 10, random: SeededGenerator(state: 1), draft: AnswerDraft(), order: [])
      #expect(resolving.resolve(query.question) == .answer(.noError))
      var writer = DNSMessageWriter()
      response.write(
        resolving.draft, code: .noError, flags: [], dependsOnClient: resolving.dependsOnClient, to: &writer)
      let option = try DNSMessage(writer.bytes).extensionRecord?.data
      #expect(option == .opaque([0, 8, 0, 7, 0, 1, 24, scope, 192, 0, 2]))
    }
  }
}
