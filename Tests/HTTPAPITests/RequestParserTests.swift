import Testing

@testable import HTTPAPI

@Suite struct RequestParserTests {
  private func parse(_ text: String) -> RequestParser.Outcome {
    Array(text.utf8).withUnsafeBytes { RequestParser.parse($0) }
  }

  private func head(_ text: String) throws -> RequestHead {
    guard case .head(let head, let length) = parse(text) else {
      Issue.record("no head in \(text)")
      throw RequestError.malformed("")
    }
    #expect(length <= text.utf8.count)
    return head
  }

  private func part(_ span: Span?, of text: String) -> String? {
    span.map { span in Array(text.utf8).withUnsafeBytes { span.text(in: $0) } }
  }

  @Test func partsOfARequestLine() throws {
    let text = "GET /v1/kv/a?raw&index=3 HTTP/1.1\r\nHost: x\r\n\r\n"
    let head = try head(text)
    #expect(head.method == .get)
    #expect(part(head.path, of: text) == "/v1/kv/a")
    #expect(part(head.query, of: text) == "raw&index=3")
    #expect(head.hasQuery)
    #expect(head.keepAlive)
    #expect(head.body == .none)
  }

  @Test func absoluteTargetsLoseTheirAuthority() throws {
    let text = "GET http://consul.example:8500/v1/kv/a?raw HTTP/1.1\r\nHost: x\r\n\r\n"
    let head = try head(text)
    #expect(part(head.path, of: text) == "/v1/kv/a")
    #expect(part(head.query, of: text) == "raw")
  }

  @Test func headersMatchInAnyCaseAndKeepTheirFirstValue() throws {
    let text = "PUT /a HTTP/1.1\r\nhOST: x\r\nX-CONSUL-token:  secret \t\r\nX-Consul-Token: other\r\nX-Other: y\r\n\r\n"
    let head = try head(text)
    #expect(part(head[.token], of: text) == "secret")
    #expect(head[.authorization] == nil)
  }

  @Test(arguments: [
    ("Content-Length: 5\r\n", RequestHead.Body.length(5)), ("Content-Length: 0\r\n", .none),
    ("Content-Length: 5\r\nContent-Length: 5\r\n", .length(5)), ("Transfer-Encoding: Chunked\r\n", .chunked),
  ])
  func bodyFraming(_ headers: String, _ expected: RequestHead.Body) throws {
    #expect(try head("PUT /a HTTP/1.1\r\nHost: x\r\n\(headers)\r\n").body == expected)
  }

  @Test(arguments: [
    ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
    ("HTTP/1.1", "Connection: x, Close\r\n", false), ("HTTP/1.0", "", false),
    ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
  ])
  func persistence(_ version: String, _ header: String, _ keepsAlive: Bool) throws {
    #expect(try head("GET /a \(version)\r\nHost: x\r\n\(header)\r\n").keepAlive == keepsAlive)
  }

  @Test(arguments: [
    "GET /a HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET /a\r\n\r\n", "GET\r\n\r\n",
    "GET  /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a  HTTP/1.1\r\nHost: x\r\n\r\n", "G T /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET a HTTP/1.1\r\nHost: x\r\n\r\n", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a http/1.1\r\nHost: x\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost : x\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: x\r\nX: a\u{0}b\r\n\r\n", "GET /a HTTP/1.1\nHost: x\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1a\r\n\r\n", "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  ])
  func requestsThatCouldBeMisunderstoodAreRefused(_ text: String) {
    guard case .failed(let error) = parse(text) else {
      Issue.record("\(text) was taken as \(parse(text))")
      return
    }
    #expect(error.status == .badRequest)
  }

  @Test(arguments: [
    ("GET /a HTTP/2.0\r\nHost: x\r\n\r\n", 505), ("PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", 417),
    ("GET /\(String(repeating: "a", count: 1_100_000)) HTTP/1.1\r\n\r\n", 431),
    ("GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 300) + "\r\n", 431),
  ])
  func whatIsNotSupportedSaysSo(_ text: String, _ status: Int) {
    guard case .failed(let error) = parse(text) else {
      Issue.record("was not refused")
      return
    }
    #expect(error.status.code == UInt16(status))
  }

  @Test func aHeadIsFoundWhereverItsBytesAreCut() throws {
    let bytes = Array("\r\nPUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nxy".utf8)
    let whole = bytes.withUnsafeBytes { RequestParser.parse($0) }
    for cut in 0..<bytes.count {
      let first = bytes[..<cut].withUnsafeBytes { RequestParser.parse($0) }
      guard case .incomplete(let scanned) = first else {
        #expect(first == whole)
        continue
      }
      #expect(bytes.withUnsafeBytes { RequestParser.parse($0, scanned: scanned) } == whole)
    }
  }

  @Test(arguments: 0..<20)
  func noBytesMakeTheParserFall(_ round: UInt64) {
    var random = SeededGenerator(seed: 0xA11CE + round)
    let seeds = [
      "GET /v1/kv/a?raw HTTP/1.1\r\nHost: x\r\nX-Consul-Token: t\r\n\r\n",
      "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ]
    for _ in 0..<2000 {
      var bytes = Array(seeds.randomElement(using: &random)?.utf8 ?? "".utf8)
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.insert([0x0D, 0x0A, 0x20, 0x3A].randomElement(using: &random) ?? 0, at: place)
        default: bytes.remove(at: place)
        }
      }
      bytes.withUnsafeBytes { memory in
        guard case .head(let head, let length) = RequestParser.parse(memory) else { return }
        #expect(length <= memory.count, "seed \(round)")
        for span in [head.path, head.query] + RequestHeader.allCases.compactMap({ head[$0] }) {
          #expect(span.start >= 0 && span.count >= 0 && span.start + span.count <= length, "seed \(round)")
        }
      }
    }
  }
}
