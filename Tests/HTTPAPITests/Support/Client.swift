import AccessControl
import Checks
import LocalAgent
import Logging
import Model
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPAPI

/// An answer, taken apart.
struct Response: Equatable {
  var status = 0
  var headers: [String: String] = [:]
  var body = ""

  /// By a name in any case.
  subscript(header: String) -> String? { headers[header.lowercased()] }
}

/// An agent's API with one connection to it, without sockets: everything happens on the test's own thread, time passes when
/// the test says so.
final class Client {
  let backend: MemoryBackend
  let control: TestControl
  let local: LocalAgent
  let loop: EmbeddedEventLoop
  let resources: LoopResources
  let gate: Gate
  private(set) var channel: EmbeddedChannel
  private var received = ""

  init(resolver: any AuthorizerResolver = OpenResolver(), _ change: (inout HTTPSettings) -> Void = { _ in }) throws {
    var settings = HTTPSettings()
    change(&settings)
    var quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    quiet.logLevel = .critical
    let logger = quiet
    let loop = EmbeddedEventLoop()
    self.loop = loop
    backend = MemoryBackend()
    if !(resolver is OpenResolver) { backend.resolver.withLock { $0 = resolver } }
    control = TestControl()
    local = LocalAgent(
      LocalAgentSettings(node: OwnNode(name: "s1", address: "127.0.0.1")), backend: backend, on: loop, logger: logger
    ) { aliases in
      CheckEnvironment(eventLoopGroup: loop, nodeName: "s1", aliases: aliases, logger: logger)
    }
    gate = Gate(
      api: API(
        backend: backend, resolver: resolver, control: control, local: local, settings: settings, logger: logger))
    resources = LoopResources(loop: loop)
    channel = try Self.open(gate, resources, loop)
  }

  /// One more connection, through another gate.
  init(beside other: Client, through gate: Gate) throws {
    loop = other.loop
    backend = other.backend
    control = other.control
    local = other.local
    resources = other.resources
    self.gate = gate
    channel = try Self.open(gate, other.resources, other.loop)
  }

  private static func open(
    _ gate: Gate, _ resources: LoopResources, _ loop: EmbeddedEventLoop
  ) throws -> EmbeddedChannel {
    let channel = EmbeddedChannel(handler: Connection(gate: gate, resources: resources), loop: loop)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 8500)).wait()
    return channel
  }

  /// Forgets the connection and makes another.
  func reconnect() throws {
    _ = try? channel.finish()
    received = ""
    channel = try Self.open(gate, resources, loop)
  }

  // MARK: bytes

  func write(_ text: String) throws { try write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) throws {
    guard channel.isActive else { return }
    try channel.writeInbound(ByteBuffer(bytes: bytes))
    loop.run()
  }

  /// Everything that was sent and not read yet.
  func read() throws -> String {
    while let buffer = try channel.readOutbound(as: ByteBuffer.self) { received += String(buffer: buffer) }
    defer { received = "" }
    return received
  }

  /// The next whole answer; nil while there is none.
  func response(isHead: Bool = false) throws -> Response? {
    while let buffer = try channel.readOutbound(as: ByteBuffer.self) { received += String(buffer: buffer) }
    guard let end = received.firstRange(of: "\r\n\r\n") else { return nil }
    var response = Response()
    let lines = received[..<end.lowerBound].split(separator: "\r\n")
    response.status = Int(lines[0].split(separator: " ")[1]) ?? 0
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      response.headers[parts[0].lowercased()] = String(parts.count > 1 ? parts[1] : "").trimmed
    }
    let length = isHead ? 0 : Int(response["Content-Length"] ?? "") ?? 0
    let body = Array(received[end.upperBound...].utf8)
    #expect(body.count >= length)
    response.body = String(decoding: body.prefix(length), as: UTF8.self)
    received = String(decoding: body.dropFirst(length), as: UTF8.self)
    return response
  }

  // MARK: requests

  static func text(
    _ method: String, _ target: String, _ headers: [String: String] = [:], body: String = ""
  ) -> String {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    if !body.isEmpty { text += "Content-Length: \(body.utf8.count)\r\n" }
    return text + "\r\n" + body
  }

  /// Sends a request; answers nothing while the answer is out.
  func begin(_ request: String, _ headers: [String: String] = [:], body: String = "") throws {
    let parts = request.split(separator: " ", maxSplits: 1)
    try write(Self.text(String(parts[0]), String(parts[1]), headers, body: body))
  }

  /// `GET /v1/kv/a` and its answer.
  @discardableResult
  func call(_ request: String, _ headers: [String: String] = [:], body: String = "") throws -> Response {
    try begin(request, headers, body: body)
    let response = try response(isHead: request.hasPrefix("HEAD "))
    if !channel.isActive || response?["Connection"] == "close" { try reconnect() }
    return try #require(response, "\(request) was not answered")
  }

  /// The answer as JSON.
  func json(_ request: String, _ headers: [String: String] = [:], body: String = "") throws -> Dynamic {
    try Dynamic(json: Array(try call(request, headers, body: body).body.utf8))
  }
}

extension String {
  var trimmed: String {
    var slice = self[...]
    while slice.first == " " { slice = slice.dropFirst() }
    while slice.last == " " { slice = slice.dropLast() }
    return String(slice)
  }
}

/// Reproducible chance.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
