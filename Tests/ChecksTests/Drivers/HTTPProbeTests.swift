import Model
import NIOCore
import NIOHTTP1
import Testing

@testable import Checks

@Suite(.timeLimit(.minutes(1))) struct HTTPProbeTests {
  /// Answers by path, as a service with many faces.
  private static func answer(_ request: HTTPRequest) -> HTTPAnswer {
    let path = request.head.uri.prefix { $0 != "?" }.split(separator: "/").map(String.init)
    switch path.first {
    case "status":
      let code = path.dropFirst().first.flatMap { Int($0) } ?? 0
      return .text(HTTPResponseStatus(statusCode: code), code == 204 ? "" : "status \(code)\n")
    case "echo":
      let fields = request.head.headers.filter { $0.name.lowercased() != "host" }.map { "\($0.name): \($0.value)\n" }
      return .text(.ok, "\(request.head.method) \(request.head.uri)\n\(fields.sorted().joined())\n\(request.body)")
    case "host": return .text(.ok, "host \(request.head.headers.first(name: "Host") ?? "")")
    case "big": return .text(.ok, String(repeating: "x", count: 5000) + "end")
    case "redirect": return .text(.found, "elsewhere\n", ["Location": "/echo"])
    case "keep": return .text(.temporaryRedirect, "", ["Location": "../echo"])
    case "loop": return .text(.found, "", ["Location": "/loop"])
    case "bad-redirect": return .text(.found, "", ["Location": "ftp://elsewhere/"])
    case "no-location": return .text(.found, "nowhere")
    case "silent": return HTTPAnswer(isSilent: true)
    case "stall": return HTTPAnswer(body: Array("some".utf8), stalls: true)
    case "gzip": return HTTPAnswer(headers: ["Content-Encoding": "gzip"], body: gzipped)
    default: return .text(.notFound, "nothing here\n")
    }
  }

  /// `hello` through `gzip -n`.
  private static let gzipped: [UInt8] = [
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0,
  ]

  private struct Web {
    let server: TestServer
    var base: String { "http://\(server.place)" }

    func get(_ path: String, _ change: (inout CheckType) -> Void = { _ in }) async throws -> ProbeResult? {
      try await probe(
        check {
          $0.http = base + path
          change(&$0)
        }
      ).once()
    }
  }

  private func start(_ host: String) async throws -> Web {
    Web(server: try await TestServer.http(host) { Self.answer($0) })
  }

  @Test func theStatusCodeDecides() async throws {
    let web = try await start("127.82.1.1")
    let base = web.base
    #expect(
      try await web.get("/status/200") == .passing("HTTP GET \(base)/status/200: 200 OK Output: status 200\n"))
    #expect(
      try await web.get("/status/204") == .passing("HTTP GET \(base)/status/204: 204 No Content Output: "))
    let busy = "HTTP GET \(base)/status/429: 429 Too Many Requests Output: status 429\n"
    #expect(try await web.get("/status/429") == ProbeResult(status: .warning, output: busy))
    let broken = "HTTP GET \(base)/status/503: 503 Service Unavailable Output: status 503\n"
    #expect(try await web.get("/status/503") == .critical(broken))
    #expect(
      try await web.get("/nowhere")
        == .critical("HTTP GET \(base)/nowhere: 404 Not Found Output: nothing here\n"))
    try await web.server.close()
  }

  @Test func theRequestIsWhatTheUserWants() async throws {
    let web = try await start("127.82.1.2")
    let base = web.base
    let plain = """
      HTTP GET \(base)/echo: 200 OK Output: GET /echo
      Accept-Encoding: gzip
      Accept: text/plain, text/*, */*
      Connection: close
      User-Agent: Consul Health Check


      """
    #expect(try await web.get("/echo") == .passing(plain))
    let rich = """
      HTTP PUT \(base)/echo?x=1: 200 OK Output: PUT /echo?x=1
      Accept-Encoding: gzip
      Accept: application/json
      Connection: close
      Content-Length: 11
      User-Agent: mine
      X-Many: one
      X-Many: two

      {"ping": 1}
      """
    let result = try await web.get("/echo?x=1") {
      $0.method = "PUT"
      $0.header = ["User-Agent": ["mine"], "Accept": ["application/json"], "X-Many": ["one", "two"]]
      $0.body = "{\"ping\": 1}"
    }
    #expect(result == .passing(rich))
    let host = try await web.get("/host") { $0.header = ["Host": ["virtual.test"]] }
    #expect(host == .passing("HTTP GET \(base)/host: 200 OK Output: host virtual.test"))
    let head = try await web.get("/status/200") { $0.method = "HEAD" }
    #expect(head == .passing("HTTP HEAD \(base)/status/200: 200 OK Output: "))
    try await web.server.close()
  }

  @Test func credentialsOfTheURLAreSent() async throws {
    let server = try await TestServer.http("127.82.1.3") { request in
      .text(.ok, request.head.headers.first(name: "Authorization") ?? "none")
    }
    let result = try await probe(check { $0.http = "http://foo:bar@\(server.place)/" }).once()
    #expect(result?.output.hasSuffix("Output: Basic Zm9vOmJhcg==") == true)
    try await server.close()
  }

  @Test func requestsThatWouldBreakTheProtocolAreRefused() async throws {
    let web = try await start("127.82.1.4")
    let base = web.base
    #expect(
      try await web.get("/") { $0.header = ["X-A": ["b\r\nX-B: c"]] }
        == .critical("Get \"\(base)/\": net/http: invalid header field value for \"X-A\""))
    #expect(
      try await web.get("/") { $0.header = ["X A": ["b"]] }
        == .critical("Get \"\(base)/\": net/http: invalid header field name \"X A\""))
    #expect(
      try await web.get("/") { $0.method = "GET / HTTP/1.1\r\n" }?.output.contains("net/http: invalid method") == true
    )
    try await web.server.close()
  }

  @Test func theEndOfALongBodyIsKept() async throws {
    let web = try await start("127.82.1.5")
    let base = web.base
    let result = try await web.get("/big")
    #expect(
      result == .passing("HTTP GET \(base)/big: 200 OK Output: \(String(repeating: "x", count: 4093))end"))
    let short = try await probe(check { $0.http = base + "/big" }, outputLimit: 5).once()
    #expect(short == .passing("HTTP GET \(base)/big: 200 OK Output: xxend"))
    try await web.server.close()
  }

  @Test func redirectionsAreFollowedUnlessDisabled() async throws {
    let web = try await start("127.82.1.6")
    let base = web.base
    let followed = try await web.get("/redirect") {
      $0.method = "POST"
      $0.body = "x"
    }
    #expect(followed?.output.hasPrefix("HTTP POST \(base)/redirect: 200 OK Output: GET /echo\n") == true)
    let kept = try await web.get("/keep/it") {
      $0.method = "POST"
      $0.body = "body"
    }
    #expect(kept?.output.hasPrefix("HTTP POST \(base)/keep/it: 200 OK Output: POST /echo\n") == true)
    #expect(kept?.output.hasSuffix("\n\nbody") == true)
    let stayed = try await web.get("/redirect") { $0.disableRedirects = true }
    #expect(stayed == .critical("HTTP GET \(base)/redirect: 302 Found Output: elsewhere\n"))
    #expect(
      try await web.get("/no-location") == .critical("HTTP GET \(base)/no-location: 302 Found Output: nowhere"))
    #expect(try await web.get("/loop") == .critical("Get \"/loop\": stopped after 10 redirects"))
    #expect(
      try await web.get("/bad-redirect")
        == .critical("Get \"ftp://elsewhere/\": unsupported protocol scheme \"ftp\""))
    try await web.server.close()
  }

  @Test func compressedBodiesAreRead() async throws {
    let web = try await start("127.82.1.7")
    let base = web.base
    #expect(try await web.get("/gzip") == .passing("HTTP GET \(base)/gzip: 200 OK Output: hello"))
    try await web.server.close()
  }

  @Test func timeIsLimited() async throws {
    let web = try await start("127.82.1.8")
    let base = web.base
    let silent = try await web.get("/silent") { $0.timeout = .milliseconds(50) }
    let reason = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    #expect(silent == .critical("Get \"\(base)/silent\": \(reason)"))
    let stalled = try await web.get("/stall") { $0.timeout = .milliseconds(500) }
    #expect(stalled == .passing("HTTP GET \(base)/stall: 200 OK Output: some"))
    try await web.server.close()
  }

  @Test func whatIsNotAWebServerIsCritical() async throws {
    let closing = try await TestServer.raw("127.82.1.9", answer: nil, closes: true)
    let babbling = try await TestServer.raw("127.82.1.10", answer: "220 mail ready\r\n\r\n", closes: true)
    #expect(
      try await probe(check { $0.http = "http://\(closing.place)/" }).once()
        == .critical("Get \"http://\(closing.place)/\": EOF"))
    let reason = "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
    #expect(
      try await probe(check { $0.http = "http://\(babbling.place)/" }).once()
        == .critical("Get \"http://\(babbling.place)/\": \(reason)"))
    #expect(
      try await probe(check { $0.http = "http://127.82.9.9:1/" }).once()
        == .critical("Get \"http://127.82.9.9:1/\": dial tcp 127.82.9.9:1: connect: connection refused"))
    #expect(
      try await probe(check { $0.http = "mailto:x" }).once()
        == .critical("Get \"mailto:x\": unsupported protocol scheme \"\""))
    try await closing.close()
    try await babbling.close()
  }
}
