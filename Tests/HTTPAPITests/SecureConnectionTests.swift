import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import HTTPAPI

/// What happens on the HTTPS port before there is a request.
@Suite struct SecureConnectionTests {
  private func channel(_ handlers: [any ChannelHandler]) throws -> EmbeddedChannel {
    let channel = EmbeddedChannel(handlers: handlers)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 8501)).wait()
    return channel
  }

  @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "P", "DELETE /v1/kv/a HTTP/1.1\r\n\r\n"])
  func aPlainRequestIsAnsweredAndTheConnectionClosed(request: String) throws {
    let channel = try channel([PlainRequestGuard()])
    try channel.writeInbound(ByteBuffer(string: request))
    try channel.writeInbound(ByteBuffer(string: "more"))
    let answer = try #require(try channel.readOutbound(as: ByteBuffer.self))
    #expect(
      String(buffer: answer) == "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
    #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
    channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(!channel.isActive)
  }

  @Test func aHandshakePassesUnchanged() throws {
    let channel = try channel([PlainRequestGuard()])
    for bytes in [[0x16, 3, 1], [UInt8(ascii: "G"), 1]] as [[UInt8]] {
      try channel.writeInbound(ByteBuffer(bytes: bytes))
      #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(bytes: bytes))
    }
    #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    _ = try channel.finish()
  }

  @Test func aClientThatDoesNotShakeHandsIsCutOff() throws {
    let channel = try channel([HandshakeDeadline(timeout: .seconds(5))])
    channel.embeddedEventLoop.advanceTime(by: .seconds(4))
    #expect(channel.isActive)
    channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(!channel.isActive)
  }

  @Test func afterTheHandshakeThereIsNoHurry() throws {
    let channel = try channel([HandshakeDeadline(timeout: .seconds(5))])
    channel.pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
    channel.embeddedEventLoop.advanceTime(by: .hours(1))
    #expect(channel.isActive)
    _ = try channel.finish()
  }
}
