import Testing

@testable import Model

/// Messages of Protocol Buffers: `Sources/Model/Protobuf`.
@Suite struct ProtobufTests {
  /// Random numbers that are the same for the same seed (SplitMix64).
  struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }

  static var instance: NodeService {
    var service = NodeService()
    service.kind = ServiceKind.connectProxy
    service.id = "web-proxy"
    service.service = "web-proxy"
    service.tags = ["a", "", "b"]
    service.taggedAddresses = ["lan": ServiceAddress(address: "10.0.0.1", port: 80), "wan": ServiceAddress()]
    service.meta = ["k": "v", "empty": ""]
    service.port = -1
    service.weights = Weights(passing: 0, warning: 300)
    service.locality = Locality()
    service.createIndex = .max
    service.modifyIndex = 127
    var proxy = ConnectProxyConfig()
    proxy.destinationServiceName = "web"
    proxy.config["numbers"] = .array([.double(1.5), .double(-0.0), .null, .bool(false)])
    proxy.config["deep"] = .object(DynamicObject([("a", .object(DynamicObject([("b", .string("ü"))])))]))
    var upstream = Upstream()
    upstream.destinationName = "db"
    upstream.localBindPort = 65_535
    proxy.upstreams = [upstream, Upstream()]
    service.proxy = Boxed(proxy)
    var connect = ServiceConnect()
    var sidecar = ServiceDefinition()
    sidecar.name = "side"
    var check = CheckType()
    check.interval = .milliseconds(1500)
    check.header = ["X": ["1", "2"], "Y": []]
    check.h2pingUseTLS = false
    sidecar.checks = [check]
    connect.sidecarService = Boxed(sidecar)
    service.connect = Boxed(connect)
    return service
  }

  @Test("what is written is read again as it was")
  func roundTrip() throws {
    let service = Self.instance
    #expect(try NodeService(protobuf: service.protobuf()) == service)
    var check = HealthCheck()
    check.definition.value.interval = GoDuration(nanoseconds: -1_500_000_000)
    check.definition.value.ttl = GoDuration(nanoseconds: .max)
    check.definition.value.outputMaxSize = 4096
    check.definition.value.header = ["A": ["b"]]
    check.serviceTags = ["x"]
    #expect(try HealthCheck(protobuf: check.protobuf()) == check)
  }

  @Test("scalars that are zero are not written, messages always, optional ones only if they are there")
  func presence() {
    // Node: RaftIndex is a message and no other field is set.
    #expect(Node().protobuf() == [0x3A, 0])
    var node = Node()
    node.locality = Locality()
    node.createIndex = 300
    #expect(node.protobuf() == [0x3A, 3, 0x08, 0xAC, 0x02, 0x52, 0])
  }

  @Test("fields may come in any order, twice, and unknown ones between them")
  func order() throws {
    var writer = ProtobufWriter()
    writer.varint(1000, 7)
    writer.string(2, "first")
    writer.message(7) { $0.varint(2, 9) }
    writer.fixed64(999, 1)
    writer.string(2, "name")
    writer.message(7) { $0.varint(1, 5) }
    writer.string(1, "id")
    let node = try Node(protobuf: writer.bytes)
    #expect(node.node == "name")
    #expect(node.id == "id")
    #expect(node.createIndex == 5)
    #expect(node.modifyIndex == 9)
  }

  @Test(
    "what is no message is refused and says where",
    arguments: [
      ([0x0A], ProtobufError.truncated(offset: 1)),
      ([0x0A, 5, 0x61], .truncated(offset: 2)),
      ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .truncated(offset: 1)),
      ([0x08, 0x01], .mismatch(number: 1, offset: 1)),
      ([0x0A, 1, 0xFF], .badText(number: 1, offset: 1)),
      ([0x03], .badTag(offset: 0)),
      ([0x00], .badTag(offset: 0)),
      ([UInt8](repeating: 0xFF, count: 10) + [1], .overlongNumber(offset: 0)),
    ])
  func malformed(bytes: [UInt8], error: ProtobufError) {
    #expect(throws: error) { try Node(protobuf: bytes) }
  }

  @Test("messages that lie too deep in one another are refused")
  func depth() {
    var value = Dynamic.string("x")
    for _ in 0..<200 { value = .array([value]) }
    var proxy = ConnectProxyConfig()
    proxy.config["a"] = value
    #expect(throws: ProtobufError.tooDeep(limit: 64)) { try ConnectProxyConfig(protobuf: proxy.protobuf()) }
  }

  @Test("no input that was changed at random does anything but be read or refused")
  func fuzz() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = Seeded(state: seed)
    let valid = Self.instance.protobuf()
    for round in 0..<20_000 {
      var bytes = valid
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeLast(min(bytes.count - 1, place))
        default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        }
      }
      guard let read = try? NodeService(protobuf: bytes) else { continue }
      // Numbers that are no numbers differ from themselves.
      let again = try? NodeService(protobuf: read.protobuf())
      #expect(again?.protobuf() == read.protobuf(), "seed \(seed), round \(round)")
    }
  }
}
