import Foundation
import Model
import NIOCore
import Testing
import Wire

@testable import Server

/// Calls that the reference's agents made.
@Suite struct RecordedCallTests {
  struct Call {
    var method: String
    var request: [UInt8]
    var response: [UInt8]
    var error: String
  }

  static let names = ["client-agent", "client-agent-2", "follower-to-leader", "wan-1", "wan-2"]

  static func calls(_ name: String) throws -> [Call] {
    let recorded = try RecordedConnection.bytes("rpc/\(name)")
    let requests = try messages(RPCRequestHeader.self, Array(recorded.client.dropFirst()), .acceptor)
    let answers = try messages(RPCResponseHeader.self, recorded.server, .dialler)
    return requests.keys.sorted().flatMap { stream in
      zip(requests[stream] ?? [], answers[stream] ?? []).map { asked, answered in
        Call(
          method: asked.header.method, request: Array(asked.body.readableBytesView),
          response: Array(answered.body.readableBytesView), error: answered.header.error)
      }
    }
  }

  private static func messages<Header: Record>(
    _ type: Header.Type, _ bytes: [UInt8], _ role: YamuxSession.Role
  ) throws -> [UInt32: [RPCMessageDecoder<Header>.Message]] {
    var session = YamuxSession(role, now: 0)
    if role == .dialler { while session.open(now: 0) != nil {} }
    var decoders: [UInt32: RPCMessageDecoder<Header>] = [:]
    var found: [UInt32: [RPCMessageDecoder<Header>.Message]] = [:]
    for case .data(let id, let data) in try session.receive(ByteBuffer(bytes: bytes), now: 0) {
      decoders[id, default: RPCMessageDecoder(bodyBytesMax: 64 << 20)].append(data)
      while let message = try decoders[id]?.next() { found[id, default: []].append(message) }
    }
    return found
  }

  /// Reads a request and an answer and writes both again.
  struct Form: Sendable {
    var request: @Sendable ([UInt8]) throws -> [UInt8]
    var response: @Sendable ([UInt8]) throws -> [UInt8]
  }

  static func form<Query: ReadQuery>(_ query: Query.Type) -> (String, Form) {
    (
      Query.method,
      Form(
        request: { try again(Query.Request.self, $0) },
        // All the way to what the readers see, and back.
        response: { bytes in
          let response = try Query.Response(decoding: ByteBuffer(bytes: bytes))
          var back = try Query.response(Query.reply(response))
          if let meta = Query.meta(of: response) { Query.setMeta(meta, of: &back) }
          var writer = MessagePackWriter()
          back.encode(&writer)
          return writer.bytes
        })
    )
  }

  static func form<Change: WriteRequest>(_ change: Change.Type) -> (String, Form) {
    (
      Change.method,
      Form(request: { try again(Change.Request.self, $0) }, response: { try again(Change.Response.self, $0) })
    )
  }

  /// The same for what travels as a raw string with maps in any order inside: the recorded bytes, if what was read from them is
  /// what is read from ours.
  private static func equally<Value: FieldValue>(_ type: Value.Type, _ bytes: [UInt8]) throws -> [UInt8] {
    let value = try Value(decoding: ByteBuffer(bytes: bytes))
    let written = try again(type, bytes)
    return try Value(decoding: ByteBuffer(bytes: written)) == value ? bytes : written
  }

  static func wrapped<Query: ReadQuery>(_ query: Query.Type) -> (String, Form) {
    (
      Query.method,
      Form(
        request: { try again(Query.Request.self, $0) },
        response: { bytes in
          let response = try Query.Response(decoding: ByteBuffer(bytes: bytes))
          var back = try Query.response(Query.reply(response))
          if let meta = Query.meta(of: response) { Query.setMeta(meta, of: &back) }
          #expect(back == response)
          return try equally(Query.Response.self, bytes)
        })
    )
  }

  static func wrapped<Change: WriteRequest>(_ change: Change.Type) -> (String, Form) {
    (
      Change.method,
      Form(request: { try equally(Change.Request.self, $0) }, response: { try again(Change.Response.self, $0) })
    )
  }

  private static func again<Value: FieldValue>(_ type: Value.Type, _ bytes: [UInt8]) throws -> [UInt8] {
    var writer = MessagePackWriter()
    try Value(decoding: ByteBuffer(bytes: bytes)).encode(&writer)
    return writer.bytes
  }

  static let forms: [String: Form] = Dictionary(
    uniqueKeysWithValues: [
      form(CatalogNodes.self), form(CatalogServices.self), form(CatalogServiceNodes.self),
      form(CatalogNodeServices.self), form(CatalogNodeServiceList.self), form(HealthServiceNodes.self),
      form(HealthServiceChecks.self), form(HealthNodeChecks.self), form(HealthChecksInState.self),
      form(CoordinateNodes.self), form(KVGet.self), form(KVList.self), form(KVKeys.self), form(SessionGet.self),
      form(SessionList.self), form(NodeSessions.self), form(TxnRead.self), form(PreparedQueryList.self),
      form(PreparedQueryExplain.self), form(AutopilotGetConfiguration.self), form(NodeDetailsList.self),
      form(NodeDetailsQuery.self), form(ServiceDump.self), form(CatalogRegister.self), form(CatalogDeregister.self),
      form(KVApply.self), form(SessionCreate.self), form(SessionRenew.self), form(TxnApply.self),
      form(PreparedQueryApply.self), form(CoordinateUpdate.self),
      form(ConnectCARoots.self), form(ConnectCAConfigurationGet.self), form(ConnectCASign.self),
      wrapped(ConfigEntryGet.self), wrapped(ConfigEntryList.self), wrapped(ConfigEntryListAll.self),
      wrapped(ConfigEntryApply.self), wrapped(ConfigEntryDelete.self), form(DiscoveryChainGet.self),
      form(IntentionList.self), form(IntentionGet.self), form(IntentionMatch.self), form(IntentionCheck.self),
      form(IntentionApply.self),
    ])

  @Test(
    .enabled(if: RecordedConnection.isPresent, "the recorded connections are not beside the project"), arguments: names)
  func recordedCallsAreReadAndWrittenAgain(name: String) throws {
    var seen = 0
    for (index, call) in try Self.calls(name).enumerated() {
      guard let form = Self.forms[call.method] else { continue }
      seen += 1
      let place = "\(name) call \(index): \(call.method)"
      try Self.expectSame(form.request(call.request), call.request, "request of \(place)")
      guard call.error.isEmpty, !Self.isShortened(call.method) else { continue }
      try Self.expectSame(form.response(call.response), call.response, "answer of \(place)")
    }
    #expect(seen > 0)
  }

  /// Answers of which the readers do not need all.
  private static func isShortened(_ method: String) -> Bool { method == "Catalog.ServiceNodes" }

  private static func expectSame(_ written: [UInt8], _ recorded: [UInt8], _ what: String) throws {
    let (written, recorded) = (Array(try canonical(written)), Array(try canonical(recorded)))
    guard written != recorded else { return }
    let place = max(0, zip(written, recorded).prefix { $0 == $1 }.count - 40)
    let parts = [written, recorded].map { String($0.dropFirst(place).prefix(100)) }
    Issue.record("\(what): written …\(parts[0])…, recorded …\(parts[1])…")
  }

  /// Text that is the same for values which the wire takes for the same: members in any order, nothing and an empty list.
  static func canonical(_ bytes: [UInt8]) throws -> String {
    try bytes.withUnsafeBytes { buffer in
      var reader = MessagePackReader(buffer)
      let value = try reader.dynamic()
      #expect(reader.isAtEnd)
      return text(value)
    }
  }

  private static func text(_ value: Dynamic) -> String {
    switch value {
    case .object(let members):
      let parts = members.map { "\($0): \(text($1))" }.sorted()
      return parts.isEmpty ? "null" : "{\(parts.joined(separator: ", "))}"
    case .array(let elements):
      return elements.isEmpty ? "null" : "[\(elements.map { text($0) }.joined(separator: ", "))]"
    default: return value.json
    }
  }

  // MARK: Replay

  /// The recorded requests against a server of ours: those that succeeded do so here, with an answer of the same shape.
  @Test(
    .enabled(if: RecordedConnection.isPresent, "the recorded connections are not beside the project"),
    arguments: zip(["client-agent", "client-agent-2"], ["127.81.1.1", "127.81.2.1"]))
  func recordedRequestsAreAnswered(name: String, host: String) async throws {
    let server = try await TestServer(1, of: [host])
    server.backend.gossip.set(TestGossip("dc1"))
    var unknown: Set<String> = []
    for call in try Self.calls(name) where call.error.isEmpty {
      do {
        let answer = try await server.client.call(
          call.method, Self.impatient(call), to: server.address, on: server.loop)
        #expect(try Self.shape(answer) == Self.shape(call.response), "\(call.method)")
      } catch RPCError.remote(let text) {
        if text.contains("can't find") { unknown.insert(call.method) } else { Self.check(text, call) }
      }
    }
    // What this server does not do yet belongs to the mesh and to access control.
    let missing = unknown.filter { method in
      !["ACL.", "ConfigEntry.ResolveServiceConfig", "FederationState."].contains { method.hasPrefix($0) }
    }
    #expect(missing == [])
    await server.stop()
  }

  /// Requests may refer to what this server never saw.
  private static func check(_ text: String, _ call: Call) {
    let expected: [String: [String]] = [
      "Session.Apply": ["Missing node registration", "Missing check"], "PreparedQuery.Execute": ["Query not found"],
      // This server has no mesh.
      "ConnectCA.Roots": ["Connect must be enabled"], "ConnectCA.Sign": ["Connect must be enabled"],
      "ConnectCA.ConfigurationGet": ["Connect must be enabled"], "Intention.Match": ["Connect must be enabled"],
      "Intention.List": ["Connect must be enabled"], "Intention.Get": ["Connect must be enabled"],
      "Intention.Check": ["Connect must be enabled"], "Intention.Apply": ["Connect must be enabled"],
      "DiscoveryChain.Get": ["Connect must be enabled"],
      "PreparedQuery.Explain": ["Query not found"], "KVS.Apply": ["invalid session"],
    ]
    let isKnown = (expected[call.method] ?? []).contains { text.contains($0) } || text == "No path to datacenter"
    #expect(isKnown, "\(call.method): \(text)")
  }

  /// The request without waiting for changes.
  private static func impatient(_ call: Call) -> [UInt8] {
    guard call.method != "Txn.Read", let form = RecordedCallTests.waits[call.method] else { return call.request }
    return (try? form(call.request)) ?? call.request
  }

  private static let waits: [String: @Sendable ([UInt8]) throws -> [UInt8]] = [
    "KVS.Get": { try withoutIndex(KeyRequest.self, $0) },
    "Health.ServiceNodes": { try withoutIndex(ServiceSpecificRequest.self, $0) },
    "Catalog.ServiceNodes": { try withoutIndex(ServiceSpecificRequest.self, $0) },
    "Catalog.ListNodes": { try withoutIndex(DCSpecificRequest.self, $0) },
  ]

  private static func withoutIndex<Request: RPCReadRequest>(_ type: Request.Type, _ bytes: [UInt8]) throws -> [UInt8] {
    var request = try Request(decoding: ByteBuffer(bytes: bytes))
    request.options.minIndex = 0
    return request.messagePack
  }

  /// The names of an answer's members, or the kind of a bare value.
  private static func shape(_ bytes: [UInt8]) throws -> [String] {
    try bytes.withUnsafeBytes { buffer in
      var reader = MessagePackReader(buffer)
      switch try reader.dynamic() {
      case .object(let members): return members.map(\.key).sorted()
      case .string: return ["text"]
      case .bool: return ["bool"]
      case .array: return ["list"]
      case let other: return [other.json]
      }
    }
  }
}
