import Model
import NIOCore

@testable import HTTPAPI
@testable import Server
@testable import State

/// Bodies of requests: parsed, decoded into records, checked against the rules, logged and applied.
struct JSONTarget: FuzzTarget {
  let name = "json"
  let tokens = [
    "{", "}", "[", "]", ",", ":", "null", "true", "false", "-0", "1e400", "0.1", "\"", "\\u0000", "\\ud800", "\"KV\":",
    "\"Node\":", "\"Service\":", "\"Check\":", "\"Verb\":", "\"set\"", "\"cas\"", "\"TTL\":\"10s\"", "\"Weights\":",
    "\"Proxy\":", "\"Upstreams\":", "\"TaggedAddresses\":", "\"Meta\":", "\"Definition\":", "\"Interval\":\"1e9h\"",
  ]

  var corpus: [[UInt8]] {
    [
      #"{"Node":"n","Address":"192.0.2.1","ID":"40e4a748-2192-161a-0510-9bf59fe950b5","NodeMeta":{"a":"b"}}"#,
      #"{"Node":"n","Address":"a","Service":{"ID":"w","Service":"web","Tags":["a"],"Port":80,"Weights":{"Passing":2}}}"#,
      #"""
      {"Node":"n","Address":"a","Service":{"Kind":"connect-proxy","Service":"p","Port":1,"Proxy":{"DestinationServiceName":
      "web","Upstreams":[{"DestinationName":"db","LocalBindPort":9,"Config":{"x":[1,null,{"y":true}]}}],
      "Expose":{"Paths":[{"Path":"/a","LocalPathPort":1,"ListenerPort":2,"Protocol":"http"}]}}},
      "Checks":[{"CheckID":"c","Status":"passing","Definition":{"HTTP":"http://a","Interval":"10s","Timeout":"1s"}}]}
      """#,
      #"{"Node":"n","ServiceID":"w","CheckID":"c","Datacenter":"dc1"}"#,
      #"{"LockDelay":"15s","Name":"lock","Node":"n","Checks":["serfHealth"],"Behavior":"delete","TTL":"30s"}"#,
      #"""
      {"Name":"q","Service":{"Service":"web","Tags":["a","!b"],"Near":"_agent","Failover":{"NearestN":3,"Datacenters":["x"]},
      "OnlyPassing":true,"NodeMeta":{"a":"b"}},"Template":{"Type":"name_prefix_match","Regexp":"^q-(.*)$"},"DNS":{"TTL":"1s"}}
      """#,
      #"""
      [{"KV":{"Verb":"set","Key":"a","Value":"aGk=","Flags":3}},{"KV":{"Verb":"cas","Key":"a","Index":9,"Value":""}},
      {"Node":{"Verb":"set","Node":{"Node":"x","Address":"a","TaggedAddresses":{"lan":"a"}}}},
      {"Service":{"Verb":"set","Node":"x","Service":{"Service":"web","Port":1}}},
      {"Check":{"Verb":"cas","Check":{"Node":"x","CheckID":"c","Status":"critical"}}}]
      """#,
      #"{"CleanupDeadServers":true,"LastContactThreshold":"200ms","MaxTrailingLogs":250,"MinQuorum":3}"#,
      #"{"Node":"n","Coord":{"Vec":[0.1,2e-5,0,0,0,0,0,0],"Error":1.5,"Adjustment":0,"Height":1e-5}}"#,
    ].map { Array($0.utf8) }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    let value: Dynamic
    do {
      value = try input.withUnsafeBytes { try Dynamic(firstJSON: $0) }
    } catch {
      return .refused(by: error)
    }
    try checkRoundTrip(value)
    var outcomes: [String] = []
    for attempt in Self.attempts {
      do {
        outcomes.append(try attempt(value))
      } catch let error as BrokenPromise {
        throw error
      } catch {
        if case .refused(let reason) = Outcome.refused(by: error) { outcomes.append(String(reason.prefix(24))) }
      }
    }
    return .accepted(outcomes.joined(separator: "|"))
  }

  private func checkRoundTrip(_ value: Dynamic) throws(BrokenPromise) {
    let text = value.json
    guard let again = try? Dynamic(json: Array(text.utf8)), again.json == text else {
      throw BrokenPromise(what: "what was parsed is written in a way that is read differently: \(text)")
    }
  }

  // MARK: records and rules

  private typealias Attempt = @Sendable (Dynamic) throws -> String

  private static let attempts: [Attempt] = [
    { try write(CatalogRegister(decode($0))) }, { try write(CatalogDeregister(decode($0))) },
    { try write(SessionCreate(decode($0))) }, { try write(PreparedQueryApply(.create, decode($0))) },
    { try write(CoordinateUpdate(decode($0))) }, { try write(TxnApply(operations($0))) },
    {
      let definition: ServiceDefinition = try decode($0, .registration)
      return "\(definition == definition)"
    },
    {
      let definition: CheckDefinition = try decode($0, .registration)
      return "\(definition == definition)"
    },
  ]

  private static func decode<Value: Record>(
    _ value: Dynamic, _ style: DecodingContext.KeyStyle = .api
  ) throws -> Value {
    try Value(from: value, DecodingContext(style))
  }

  private static func operations(_ value: Dynamic) throws -> [TxnOp] {
    try [TransactionOperation](from: value, DecodingContext(.api)).compactMap(\.op)
  }

  private static func write<Request: WriteRequest>(_ request: Request) throws -> String {
    let store = try Fixture.store()
    let context = WriteContext(
      state: store.current, datacenter: "dc1", sessionTTLMinimum: .seconds(10), isLockDelayed: { _ in false },
      renewSession: { _ in true })
    switch try request.prepare(context) {
    case .immediate: return "immediate"
    case .later: return "later"
    case .command(let command, _):
      let again = try Command(decoding: command.encode())
      // Numbers that are none are not equal to themselves.
      if again.encode() != command.encode() {
        throw BrokenPromise(what: "a command changes on its way through the log: \(command)")
      }
      let result = store.apply(index: 100, again)
      if case .failed(let reason) = result { return "failed " + reason.prefix(12) }
      return "applied"
    }
  }
}

/// A state with one of most things.
enum Fixture {
  static func store() throws -> StateStore {
    let store = StateStore()
    var registration = RegisterRequest()
    registration.node = "n"
    registration.address = "192.0.2.1"
    var service = NodeService()
    (service.id, service.service, service.port) = ("w", "web", 80)
    registration.service = service
    var check = HealthCheck()
    (check.node, check.checkID, check.name, check.status) = ("n", "c", "c", "passing")
    registration.checks = [check]
    store.apply(index: 10, .register(registration))
    var kvs = KVSRequest()
    kvs.op = "set"
    kvs.dirEnt.key = "a"
    kvs.dirEnt.value = Bytes([1, 2])
    store.apply(index: 11, .kvs(kvs))
    return store
  }
}
