import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import ConsulClient

/// Against real sockets on loopback addresses of their own.
struct NetworkTests {
  @Test("A request reaches a server and brings its answer back")
  func roundTrip() async throws {
    let server = try await EchoServer.start(on: .init(ipAddress: "127.117.1.1", port: 8500))
    var configuration = ClientConfiguration(
      address: AgentAddress(endpoint: .host("127.117.1.1", port: 8500), pathPrefix: "front"))
    configuration.token = "secret"
    configuration.credentials = .init(user: "u", password: "p")
    let client = try ConsulClient(configuration)
    var request = APIRequest("PUT", "/v1/kv/a b", body: [0, 255, 10])
    request.add("cas", "7")
    let response = try await client.perform(request)
    #expect(
      response.text
        == "PUT /front/v1/kv/a%20b?cas=7 host=127.117.1.1:8500 token=secret authorization=Basic dTpw body=3")
    #expect(response.metadata.index == 42)
    var pieces: [UInt8] = []
    for try await piece in try await client.stream(APIRequest("GET", "/v1/snapshot")) { pieces += piece }
    #expect(String(decoding: pieces, as: UTF8.self).hasPrefix("GET /front/v1/snapshot "))
    await client.shutdown()
    try await server.stop()
  }

  @Test("A Unix domain socket is an address, too")
  func unixSocket() async throws {
    let path = "/tmp/consul-client-\(getpid()).sock"
    let server = try await EchoServer.start(on: .init(unixDomainSocketPath: path))
    let client = try ConsulClient(ClientConfiguration(address: AgentAddress(parsing: "unix://\(path)")))
    #expect(
      try await client.perform(APIRequest("GET", "/v1/agent/self")).text.hasPrefix("GET /v1/agent/self host=localhost"))
    await client.shutdown()
    try await server.stop()
    unlink(path)
  }

  @Test("A refused connection is told at once, in the words of the system")
  func refused() async throws {
    let client = try ConsulClient(ClientConfiguration(address: AgentAddress(parsing: "127.117.2.1:8500")))
    let error = await #expect(throws: ClientError.self) { try await client.kv.get("a") }
    #expect(
      error?.description
        == #"Get "http://127.117.2.1:8500/v1/kv/a": dial tcp 127.117.2.1:8500: connect: connection refused"#)
    await client.shutdown()
  }

  @Test("A plain server that is asked for TLS is recognised")
  func plainServer() async throws {
    let server = try await EchoServer.start(on: .init(ipAddress: "127.117.3.1", port: 8500))
    let client = try ConsulClient(ClientConfiguration(address: AgentAddress(parsing: "https://127.117.3.1:8500")))
    let error = await #expect(throws: ClientError.self) { try await client.kv.get("a") }
    #expect(error?.description.hasSuffix("http: server gave HTTP response to HTTPS client") == true)
    await client.shutdown()
    try await server.stop()
  }
}

/// Answers each request with a line that describes it.
private struct EchoServer {
  let channel: any Channel

  static func start(on address: SocketAddress) async throws -> EchoServer {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(EchoHandler())
        }
      }
      .bind(to: address).get()
    return EchoServer(channel: channel)
  }

  func stop() async throws {
    try await channel.close()
  }
}

private final class EchoHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private var line = ""
  private var bodySize = 0

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      func header(_ name: String) -> String { head.headers.first(name: name) ?? "" }
      line = "\(head.method.rawValue) \(head.uri) host=\(header("Host")) token=\(header("X-Consul-Token"))"
      line += " authorization=\(header("Authorization"))"
      bodySize = 0
    case .body(let part): bodySize += part.readableBytes
    case .end:
      let text = ByteBuffer(string: "\(line) body=\(bodySize)")
      var head = HTTPResponseHead(version: .http1_1, status: .ok)
      head.headers.add(name: "Content-Length", value: String(text.readableBytes))
      head.headers.add(name: "X-Consul-Index", value: "42")
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
