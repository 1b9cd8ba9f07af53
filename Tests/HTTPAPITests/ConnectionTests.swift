import CNIOExtrasZlib
import Model
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPAPI

@Suite struct ConnectionTests {
  @Test func answersKeepTheOrderOfPipelinedRequests() throws {
    let client = try Client()
    try client.write(
      Client.text("PUT", "/v1/kv/a", body: "1") + Client.text("GET", "/v1/kv/a?raw")
        + Client.text("PUT", "/v1/kv/a", body: "2") + Client.text("GET", "/v1/kv/a?raw"))
    var bodies: [String] = []
    while let response = try client.response() { bodies.append(response.body) }
    #expect(bodies == ["true", "1", "true", "2"])
  }

  @Test func aRequestBehindABlockedOneWaits() throws {
    let client = try Client()
    try client.call("PUT /v1/kv/a", body: "x")
    try client.write(
      Client.text("GET", "/v1/kv/a?raw&index=11&wait=10s") + Client.text("GET", "/v1/status/leader"))
    #expect(try client.response() == nil)
    client.loop.advanceTime(by: .seconds(10))
    #expect(try client.response()?.body == "x")
    #expect(try client.response()?.body == "\"127.0.0.1:8300\"")
  }

  @Test func requestsMayComeByteByByte() throws {
    let client = try Client()
    for byte in Client.text("PUT", "/v1/kv/slow", body: "value").utf8 { try client.write([byte]) }
    #expect(try client.response()?.body == "true")
    #expect(try client.call("GET /v1/kv/slow?raw").body == "value")
  }

  @Test func chunkedBodiesAreTaken() throws {
    let client = try Client()
    try client.write("PUT /v1/kv/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    #expect(try client.response() == nil)
    try client.write("2\r\nde\r\n0\r\n\r\nGET /v1/kv/c?raw HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(try client.response()?.body == "true")
    #expect(try client.response()?.body == "abcde")
  }

  @Test func aHeadAboveTheConfiguredLimitIsRefused() throws {
    let client = try Client { $0.headLimit = 300 }
    #expect(try client.call("GET /v1/status/leader", ["X-Filler": String(repeating: "a", count: 200)]).status == 200)
    let refusal = try client.call("GET /v1/status/leader", ["X-Filler": String(repeating: "a", count: 300)])
    #expect(refusal.status == 431)
    #expect(refusal.body == "431 Request Header Fields Too Large")
    // Also before its end is known.
    try client.write("GET /" + String(repeating: "a", count: 300))
    #expect(try client.response()?.status == 431)
  }

  @Test func clientsThatAskAreToldToContinue() throws {
    let client = try Client()
    try client.write("PUT /v1/kv/e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(try client.read() == "HTTP/1.1 100 Continue\r\n\r\n")
    try client.write("ok")
    #expect(try client.response()?.body == "true")
  }

  @Test func refusalsDoNotAskForTheBody() throws {
    let client = try Client()
    try client.write("POST /v1/kv/e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    let response = try #require(try client.response())
    #expect(response.status == 405)
    #expect(response["Connection"] == "close")
  }

  @Test func bodiesAboveTheLimitAreRefusedAndSkipped() throws {
    let client = try Client { $0.kvValueLimit = 10 }
    #expect(try client.call("PUT /v1/kv/ten", body: "0123456789").body == "true")
    try client.write(Client.text("PUT", "/v1/kv/eleven", body: "0123456789a") + Client.text("GET", "/v1/kv/?keys"))
    let refusal = try #require(try client.response())
    #expect(refusal.status == 413)
    #expect(
      refusal.body
        == "Request body(11 bytes) too large, max size: 10 bytes. See https://developer.hashicorp.com/docs/agent/config/config-files#kv_max_value_size."
    )
    #expect(try client.response()?.body == "[\"ten\"]")
  }

  @Test func chunksAboveTheLimitEndTheConnection() throws {
    let client = try Client { $0.kvValueLimit = 10 }
    try client.write(
      "PUT /v1/kv/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n")
    let response = try #require(try client.response())
    #expect(response.status == 413)
    #expect(response["Connection"] == "close")
  }

  @Test(arguments: [("HTTP/1.0", "close"), ("HTTP/1.1", nil)] as [(String, String?)])
  func connectionsStayOpenAsTheVersionSays(_ version: String, _ header: String?) throws {
    let client = try Client()
    try client.write("GET /v1/status/leader \(version)\r\nHost: x\r\n\r\n")
    #expect(try client.response()?["Connection"] == header)
  }

  @Test func whatIsNoRequestIsAnsweredAndEndsTheConnection() throws {
    let client = try Client()
    try client.write("NONSENSE\r\n\r\n")
    let response = try #require(try client.response())
    #expect(response.status == 400)
    #expect(response.body == "400 Bad Request")
    #expect(response["Connection"] == "close")
    try client.write("GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(try client.response() == nil)
  }

  @Test func headRequestsGetNoBody() throws {
    let client = try Client()
    try client.begin("HEAD /v1/kv/a")
    #expect(try client.read().hasSuffix("\r\n\r\n"))
  }

  @Test func aClientThatGoesAwayEndsItsQuery() throws {
    let client = try Client()
    try client.begin("GET /v1/kv/a?index=1&wait=5m")
    #expect(client.backend.waiting == 1)
    _ = try client.channel.finish()
    #expect(client.backend.waiting == 0)
  }

  @Test func anIncompleteRequestIsGivenUpAfterAMinute() throws {
    let client = try Client()
    try client.write("PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    client.loop.advanceTime(by: .seconds(50))
    #expect(try client.response() == nil)
    try client.write("def")
    client.loop.advanceTime(by: .seconds(50))
    #expect(try client.response() == nil)
    client.loop.advanceTime(by: .seconds(50))
    #expect(try client.response()?.status == 408)
  }

  @Test func idleConnectionsMayStay() throws {
    let client = try Client()
    try client.call("GET /v1/status/leader")
    client.loop.advanceTime(by: .hours(10))
    #expect(try client.call("GET /v1/status/leader").status == 200)
  }

  @Test func closingLetsAnswersOutAndGivesQueriesUp() throws {
    let client = try Client()
    try client.begin("GET /v1/kv/a?index=1&wait=5m")
    let closed = client.resources.close()
    client.loop.run()
    try closed.wait()
    #expect(!client.channel.isActive)
    #expect(client.backend.waiting == 0)
  }

  @Test func largeAnswersAreCompressedForThoseWhoTakeIt() throws {
    let value = String(repeating: "consul ", count: 1000)
    let packed = try #require(Array(value.utf8).withUnsafeBytes { Gzip.compress($0) })
    #expect(packed.count < value.utf8.count / 4)
    #expect(try inflate(packed) == value)
    let client = try Client()
    try client.call("PUT /v1/kv/big", body: value)
    try client.call("PUT /v1/kv/small", body: "x")
    for (key, accept, isPacked) in [("big", "gzip", true), ("big", "gzip;q=0", false), ("small", "gzip", false)] {
      try client.begin("GET /v1/kv/\(key)?raw", ["Accept-Encoding": accept])
      var head = ""
      while let buffer = try client.channel.readOutbound(as: ByteBuffer.self) { head += String(buffer: buffer) }
      #expect(head.contains("Content-Encoding: gzip\r\n") == isPacked)
    }
  }

  private func inflate(_ bytes: [UInt8]) throws -> String {
    var stream = cnioextras_z_stream()
    #expect(CNIOExtrasZlib_inflateInit2(&stream, 15 + 32) == CNIOEXTRAS_Z_OK)
    defer { cnioextras_z_inflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: 100_000)
    let result = input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        return cnioextras_z_inflate(&stream, CNIOEXTRAS_Z_FINISH)
      }
    }
    #expect(result == CNIOEXTRAS_Z_STREAM_END)
    return String(decoding: output.prefix(Int(stream.total_out)), as: UTF8.self)
  }

  @Test func theLogFlowsUntilTheClientGoes() throws {
    let client = try Client()
    try client.begin("GET /v1/agent/monitor?loglevel=debug")
    #expect(try client.read().contains("Transfer-Encoding: chunked\r\n"))
    client.control.log("first line")
    client.loop.run()
    #expect(try client.read() == "b\r\nfirst line\n\r\n")
    _ = try client.channel.finish()
    #expect(client.control.cancelledSubscriptions == 1)
    #expect(try Client().call("GET /v1/agent/monitor?loglevel=nonsense").body == "Unknown log level: nonsense")
  }

  @Test(arguments: 0..<8)
  func noBytesMakeAConnectionFall(_ round: UInt64) throws {
    var random = SeededGenerator(seed: 0xBAD5EED + round)
    let client = try Client()
    let requests = [
      Client.text("GET", "/v1/kv/a?index=1&wait=1ms&pretty"), Client.text("PUT", "/v1/kv/a?cas=1", body: "x"),
      Client.text("PUT", "/v1/catalog/register", body: "{\"Node\":\"n\",\"Address\":\"1.2.3.4\"}"),
      "PUT /v1/txn HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n",
    ].map { Array($0.utf8) }
    for _ in 0..<300 {
      var bytes = requests.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        bytes[place] = UInt8.random(in: 0...255, using: &random)
      }
      let cut = Int.random(in: 0...bytes.count, using: &random)
      try client.write(Array(bytes[..<cut]))
      try client.write(Array(bytes[cut...]))
      client.loop.advanceTime(by: .milliseconds(2))
      for line in try client.read().split(separator: "\r\n") where line.hasPrefix("HTTP/1.1 ") {
        #expect(Int(line.dropFirst(9).prefix(3)) ?? 0 >= 100, "seed \(round)")
      }
      if Bool.random(using: &random) { try client.reconnect() }
    }
  }
}
