import AccessControl
import Model
import Testing

@testable import HTTPAPI
@testable import Server

private func body(_ json: String, valueLimit: Int = 512) throws -> TransactionBody {
  try TransactionBody(Dynamic(json: Array(json.utf8)), valueLimit: valueLimit)
}

@Suite struct TransactionBodyTests {
  @Test func operationsAreReadWithoutRegardToCase() throws {
    let read = try body(
      """
      [{"kv": {"verb": "cas", "KEY": "a", "Value": "eA==", "flags": 3, "Index": 7, "Session": "s", "Namespace": "n"}},
       {"Node": {"Verb": "set", "Node": {"Node": "n", "Address": "192.0.2.1", "Partition": "default"}}},
       {"Service": {"Verb": "set", "Node": "n", "Service": {"ID": "w", "Service": "web", "ContentHash": "x",
         "Datacenter": "dc1", "Namespace": "default", "Weights": {"Passing": 0, "Warning": 0}}}},
       {"Check": {"Verb": "set", "Check": {"Node": "n", "CheckID": "c", "Partition": "",
         "Definition": {"Interval": "10s", "TCP": "h:1"}}}}]
      """)
    #expect(read.places == [0, 1, 2, 3] && read.isWrite)
    let kv = try #require(read.ops[0].kv)
    #expect(kv.verb == "cas" && kv.dirEnt.key == "a" && kv.dirEnt.value == Bytes([0x78]))
    #expect(kv.dirEnt.flags == 3 && kv.dirEnt.modifyIndex == 7 && kv.dirEnt.session == "s")
    #expect(read.ops[1].node?.value.node.address == "192.0.2.1")
    #expect(read.ops[1].node?.value.node.partition == "")
    #expect(read.ops[2].service?.value.service.service == "web")
    #expect(read.ops[2].service?.value.service.weights == nil)
    #expect(read.ops[3].check?.value.check.definition.value.interval == .seconds(10))
  }

  @Test(arguments: ["[]", "null", "[{}]", "[{\"KV\": null}]", "[{}, {}]"])
  func nothingToDoIsARead(_ json: String) throws {
    let read = try body(json)
    #expect(read.ops.isEmpty && !read.isWrite)
  }

  @Test(arguments: [
    ("{}", "json: cannot unmarshal object into Go value of type api.TxnOps"),
    ("\"x\"", "json: cannot unmarshal string into Go value of type api.TxnOps"),
    ("[null]", "operation 0 is null"), ("[{}, null]", "operation 1 is null"),
    ("[5]", "json: cannot unmarshal number into Go value of type api.TxnOp"),
    ("[{\"KV\": []}]", "json: cannot unmarshal array into Go struct field .0.KV of type api.KVTxnOp"),
    (
      "[{\"KV\": {\"Value\": \"not base64!\"}}]",
      "json: cannot unmarshal string into Go struct field .0.KV.Value of type []uint8: "
        + "illegal base64 data at input byte 3"
    ),
    ("[{\"KV\": {\"Value\": 5}}]", "json: cannot unmarshal number into Go struct field .0.KV.Value of type []uint8"),
    (
      "[{}, {\"KV\": {\"Index\": \"7\"}}]",
      "json: cannot unmarshal string into Go struct field .1.KV.Index of type uint64"
    ),
    (
      "[{\"KV\": {\"Flags\": -1}}]", "json: cannot unmarshal number -1 into Go struct field .0.KV.Flags of type uint64"
    ),
    (
      "[{\"KV\": {\"Flags\": 1.5}}]",
      "json: cannot unmarshal number 1.5 into Go struct field .0.KV.Flags of type uint64"
    ),
    ("[{\"KV\": {\"Extra\": true}}]", "json: unknown field \"Extra\""),
    ("[{\"Session\": {\"Verb\": \"delete\"}}]", "json: unknown field \"Session\""),
    (
      "[{\"Check\": {\"Check\": {\"Definition\": {\"Interval\": \"soon\"}}}}]",
      "time: invalid duration \"soon\""
    ),
  ])
  func malformedBodiesNameTheProblem(_ json: String, _ problem: String) {
    #expect(throws: HTTPError.badRequest("Failed to parse body: " + problem)) { try body(json) }
  }

  @Test func theNumberOfOperationsIsLimited() throws {
    func json(_ count: Int) -> String {
      "[" + [String](repeating: "{\"KV\":{\"Verb\":\"get\",\"Key\":\"a\"}}", count: count).joined(separator: ",") + "]"
    }
    #expect(try body(json(128)).ops.count == 128)
    let refusal = HTTPError(.contentTooLarge, "Transaction contains too many operations (129 > 128)")
    #expect(throws: refusal) { try body(json(129)) }
  }

  @Test func valuesAreLimited() throws {
    let json = "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"u\",\"Value\":\"MDEyMzQ1Njc4OWE=\"}}]"
    #expect(try body(json, valueLimit: 11).ops.count == 1)
    let refusal = HTTPError(.contentTooLarge, "Value for key \"u\" is too large (11 > 10 bytes)")
    #expect(throws: refusal) { try body(json, valueLimit: 10) }
  }

  /// Random changes of a good body: whatever they make of it, it is read or refused.
  @Test(arguments: 1...20) func damagedBodiesNeverCrash(seed: UInt64) throws {
    let good = Array(
      """
      [{"KV":{"Verb":"set","Key":"a","Value":"eA==","Flags":3,"Index":7}},{"Node":{"Verb":"cas","Node":{"Node":"n",
      "Meta":{"a":"b"},"ModifyIndex":3}}},{"Service":{"Verb":"set","Node":"n","Service":{"ID":"w","Tags":["a"],
      "Weights":{"Passing":1},"Proxy":{"Upstreams":[{"LocalBindPort":1}]}}}},{"Check":{"Verb":"set","Check":{
      "Definition":{"Interval":"10s","Header":{"a":["b"]}}}}}]
      """.utf8)
    var state = seed
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let pieces = ["null", "{}", "[]", "-1", "1e999", "\"", "\\u0000", ",", "{\"KV\":", "[", "}"].map { Array($0.utf8) }
    for _ in 0..<200 {
      var bytes = good
      for _ in 0..<(1 + next(4)) {
        let start = next(bytes.count)
        bytes.replaceSubrange(start..<min(bytes.count, start + next(6)), with: pieces[next(pieces.count)])
      }
      guard let value = try? Dynamic(json: bytes) else { continue }
      do throws(HTTPError) {
        let read = try TransactionBody(value, valueLimit: 512)
        #expect(read.ops.count == read.places.count, "seed \(seed)")
      } catch {
        #expect(error.status == .badRequest || error.status == .contentTooLarge, "seed \(seed)")
      }
    }
  }
}

@Suite struct TransactionAnswerTests {
  private func json(_ answer: TransactionAnswer) -> String {
    var writer = JSONWriter()
    answer.write(to: &writer)
    return String(decoding: writer.finish(), as: UTF8.self)
  }

  private var results: TxnResponse {
    var entry = KVEntry()
    entry.key = "a"
    var service = NodeService()
    service.id = "w"
    service.service = "web"
    service.weights = Weights()
    var check = HealthCheck()
    check.node = "n"
    check.checkID = "c"
    return TxnResponse(results: [TxnResult(entry), TxnResult(service), TxnResult(check)])
  }

  @Test func resultsShowWhatIsThereAndEmptyListsAsNull() throws {
    let answer = TransactionAnswer(TxnOutcome(results), to: try body("[]"))
    #expect(
      json(answer)
        == "{\"Results\":[{\"KV\":{\"LockIndex\":0,\"Key\":\"a\",\"Flags\":0,\"Value\":null,\"CreateIndex\":0,"
        + "\"ModifyIndex\":0}},{\"Service\":{\"ID\":\"w\",\"Service\":\"web\",\"Tags\":null,\"Address\":\"\","
        + "\"Meta\":null,\"Weights\":{\"Passing\":1,\"Warning\":1},\"EnableTagOverride\":false,\"Proxy\":{\"Mode\":\"\","
        + "\"MeshGateway\":{},\"Expose\":{}},\"Connect\":{},\"PeerName\":\"\",\"CreateIndex\":0,\"ModifyIndex\":0}},"
        + "{\"Check\":{\"Node\":\"n\",\"CheckID\":\"c\",\"Name\":\"\",\"Status\":\"\",\"Notes\":\"\",\"Output\":\"\","
        + "\"ServiceID\":\"\",\"ServiceName\":\"\",\"ServiceTags\":null,\"Type\":\"\",\"Interval\":\"\","
        + "\"Timeout\":\"\",\"ExposedPort\":0,\"Definition\":{},\"CreateIndex\":0,\"ModifyIndex\":0}}],"
        + "\"Errors\":null}")
    #expect(answer.head.status == .ok && answer.head.headers.isEmpty)
  }

  @Test func errorsCarryTheirPlaceInTheRequest() throws {
    let failed = TxnOutcome(TxnResponse(errors: [TxnError(opIndex: 1, what: "no")]))
    let request = try body("[{}, {\"KV\":{\"Verb\":\"set\"}}, {}, {\"KV\":{\"Verb\":\"set\"}}]")
    let answer = TransactionAnswer(failed, to: request)
    #expect(json(answer) == "{\"Results\":null,\"Errors\":[{\"OpIndex\":3,\"What\":\"no\"}]}")
    #expect(answer.head.status == .conflict)
  }

  @Test func readsTellWhereTheyComeFrom() throws {
    let outcome = TxnOutcome(TxnResponse())
    var origin = Answer(value: outcome, index: 1)
    origin.lastContactMilliseconds = 15
    let answer = TransactionAnswer(outcome, to: try body("[]"), readAs: origin)
    #expect(
      json(answer) == "{\"Results\":[],\"Errors\":null,\"Index\":1,\"LastContact\":15000000,\"KnownLeader\":true,"
        + "\"ConsistencyLevel\":\"\",\"NotModified\":false,\"Backend\":0,\"ResultsFilteredByACLs\":false}")
    #expect(answer.head.headers.map(\.value) == ["true", "15"])
  }

  @Test func aMissingRightIsExplainedInAHeader() throws {
    var rules = TxnRules(state: .init(), datacenter: "dc1") {
      AccessRefusal($0, accessor: "accessor", isAnonymous: false)
    }
    var ops = try body("[{\"KV\":{\"Verb\":\"set\",\"Key\":\"a\"}}]").ops
    rules.apply(to: &ops)
    let answer = TransactionAnswer(TxnOutcome(refused: rules), to: try body("[{\"KV\":{}}]"))
    #expect(answer.head.headers.map(\.name) == ["X-Consul-Denied"])
    #expect(answer.head.headers.map(\.value) == ["accessor key:write \"a\""])
  }
}
