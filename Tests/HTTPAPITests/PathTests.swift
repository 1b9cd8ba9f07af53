import Testing

@testable import HTTPAPI

@Suite struct PathTests {
  @Test(arguments: [
    ("/v1/kv/a", "/v1/kv/a"), ("/v1/kv//a", "/v1/kv/a"), ("/v1/kv/a/../b", "/v1/kv/b"),
    ("/v1/kv/a/./b/", "/v1/kv/a/b/"),
    ("/v1/kv/..", "/v1"), ("//v1/kv/a", "/v1/kv/a"), ("/../..", "/"), ("/v1/kv/b/.", "/v1/kv/b"), ("/", "/"),
  ])
  func cleaning(_ path: String, _ cleaned: String) {
    #expect(RequestPath.clean(path) == cleaned)
    let isDirty = Array(path.utf8).withUnsafeBytes { PathShape($0).needsCleaning }
    #expect(isDirty == (path != cleaned))
  }

  @Test(arguments: [
    "/v1/kv/...", "/v1/kv/.a", "/v1/kv/..a", "/v1/kv/a.", "/v1/kv/a/", "/v1/kv/a%2F%2Fb", "/v1/kv/%2E%2E/b",
  ])
  func whatLooksLikeDotsIsLeftAlone(_ path: String) {
    #expect(Array(path.utf8).withUnsafeBytes { !PathShape($0).needsCleaning })
  }

  @Test(arguments: ["/a%", "/a%1", "/a%zz", "/%G0"])
  func brokenEscapesAreSeen(_ path: String) {
    #expect(Array(path.utf8).withUnsafeBytes { PathShape($0).isMalformed })
  }

  @Test(arguments: [
    ("with%20space", "with space"), ("with+plus", "with+plus"), ("%E6%97%A5", "日"), ("per%25cent", "per%cent"),
    ("a%2fb", "a/b"), ("", ""),
  ])
  func escapesInPaths(_ text: String, _ expected: String) {
    #expect(Array(text.utf8).withUnsafeBytes { PercentEncoding.decode($0) } == expected)
  }

  @Test func bytesThatAreNotUTF8AreNoPath() {
    #expect(Array("%FF".utf8).withUnsafeBytes { PercentEncoding.decode($0) } == nil)
    #expect(Array("%C3%28".utf8).withUnsafeBytes { PercentEncoding.decode($0) } == nil)
  }

  @Test(arguments: [
    "a\u{0}b", "a\nb", "a\tb", "\u{7}", "wide\u{200B}space", "nbsp\u{A0}", "\u{7F}", "a\u{2028}b", "\u{202E}x",
  ])
  func charactersWithoutInkAreNotPrintable(_ text: String) {
    #expect(!RequestPath.isPrintable(text))
  }

  @Test(arguments: ["plain", "with space", "日本/é", "😀", "a;b=c,d:e@f!$", "\u{FFFD}"])
  func lettersMarksAndSymbolsArePrintable(_ text: String) {
    #expect(RequestPath.isPrintable(text))
  }

  private func parameters(_ text: String) -> QueryParameters? {
    Array(text.utf8).withUnsafeBytes { QueryParameters($0) }
  }

  @Test func parametersKeepTheirOrderAndRepetitions() throws {
    let query = try #require(parameters("a=1&b&a=2&c=x+y%26z&&d="))
    #expect(query["a"] == "1")
    #expect(query.all("a") == ["1", "2"])
    #expect(query["b"] == "")
    #expect(query.has("b"))
    #expect(query["c"] == "x y&z")
    #expect(query["d"] == "")
    #expect(!query.has("e"))
  }

  @Test(arguments: ["%zz", "a=%1", "a;b", "a=1;b=2", "%FF=1"])
  func brokenQueriesAreNone(_ text: String) {
    #expect(parameters(text) == nil)
  }

  @Test(arguments: [
    ("gzip", true), ("deflate, gzip", true), ("GZIP;q=0.5", true), ("gzip;q=0", false), ("gzip; q=0.0", false),
    ("deflate", false), ("", false), ("gzipped", false), ("identity,gzip;q=1", true),
  ])
  func acceptedCodings(_ list: String, _ allowed: Bool) {
    #expect(Array(list.utf8).withUnsafeBytes { AcceptEncoding.allowsGzip($0) } == allowed)
  }

  @Test func datesAreInTheirOneForm() {
    #expect(
      String(decoding: HTTPDate.format(unixSeconds: 784_111_777), as: UTF8.self) == "Sun, 06 Nov 1994 08:49:37 GMT")
  }

  @Test func tokensAreHiddenFromLogs() {
    #expect(RequestTrace.withoutSecret("/v1/kv/a?raw&token=secret&x=1") == "/v1/kv/a?raw&token=<hidden>&x=1")
    #expect(RequestTrace.withoutSecret("/v1/kv/token=a") == "/v1/kv/token=a")
  }
}
