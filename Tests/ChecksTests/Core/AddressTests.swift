import NIOCore
import Testing

@testable import Checks

@Suite struct AddressTests {
  @Test(
    arguments: [
      ("1.2.3.4:80", "1.2.3.4", 80), ("name:1", "name", 1), ("[::1]:65535", "::1", 65535), (":9", "localhost", 9),
    ])
  func hostAndPort(text: String, host: String, port: Int) throws {
    #expect(try HostPort(text) == HostPort(host: host, port: port))
  }

  @Test(
    arguments: [
      ("1.2.3.4", "address 1.2.3.4: missing port in address"), ("", "address : missing port in address"),
      ("::1:80", "address ::1:80: too many colons in address"), ("h:99999", "address h:99999: invalid port"),
      ("h:", "address h:: invalid port"), ("h:http", "lookup tcp/http: unknown port"),
      ("[::1]", "address [::1]: missing port in address"), ("[::1:80", "address [::1:80: missing ']' in address"),
      ("a]b:80", "address a]b:80: unexpected '[' or ']' in address"),
    ])
  func malformedAddressesSayWhy(text: String, reason: String) {
    #expect(throws: NetworkFailure(reason)) { try HostPort(text) }
  }

  @Test(
    arguments: [
      ("http://h", "h", 80, "h", "/"), ("https://h/a?b=c#d", "h", 443, "h", "/a?b=c"),
      ("HTTP://h:8080?x", "h", 8080, "h:8080", "/?x"), ("http://[::1]:1/x", "::1", 1, "[::1]:1", "/x"),
      ("http://[::1]/x", "::1", 80, "[::1]", "/x"), ("http://u:p%40@h:5/", "h", 5, "h:5", "/"),
      ("http://h:/x", "h", 80, "h:", "/x"), ("http://h/a b\"é", "h", 80, "h", "/a%20b%22%C3%A9"),
    ])
  func urls(text: String, host: String, port: Int, authority: String, target: String) throws {
    let url = try CheckURL(text)
    #expect(url.place == HostPort(host: host, port: port))
    #expect(url.authority == authority)
    #expect(url.target == target)
    #expect(url.isTLS == text.lowercased().hasPrefix("https"))
  }

  @Test func credentialsAreDecoded() throws {
    #expect(try CheckURL("http://u:p%40w@h/").credentials == "u:p@w")
    #expect(try CheckURL("http://h/@x").credentials == nil)
  }

  @Test(
    arguments: [
      ("ftp://h/", "unsupported protocol scheme \"ftp\""), ("h/x", "unsupported protocol scheme \"\""),
      ("http:///x", "http: no Host in request URL"),
      ("http://h/\r\nX: y", "parse \"http://h/\r\nX: y\": net/url: invalid control character in URL"),
      ("http://a b/", "parse \"http://a b/\": invalid character in host name"),
    ])
  func malformedURLsSayWhy(text: String, reason: String) {
    #expect(throws: NetworkFailure(reason)) { try CheckURL(text) }
  }

  @Test(
    arguments: [
      ("/status", "http://h:1/status"), ("next", "http://h:1/a/next"), ("../up", "http://h:1/up"),
      ("?q", "http://h:1/a/b?q"), ("./c/./d/..", "http://h:1/a/c/"), ("//other/x", "http://other/x"),
      ("https://far:2/y", "https://far:2/y"), ("../../../..", "http://h:1/"),
      ("/x?u=http://z/", "http://h:1/x?u=http://z/"),
    ])
  func redirectionsAreResolved(location: String, expected: String) throws {
    #expect(try CheckURL("http://h:1/a/b?c").following(location) == CheckURL(expected))
  }

  @Test func anyTextIsTakenOrRefused() {
    let letters = Array("htps:/@[]?#%.\\ \r\n\u{0}é1-")
    for seed in UInt64(1)...3000 {
      var random = Seeded(seed)
      let length = Int.random(in: 0...14, using: &random)
      let text = String((0..<length).compactMap { _ in letters.randomElement(using: &random) })
      _ = try? HostPort(text)
      guard let url = try? CheckURL("http://" + text) else { continue }
      #expect(url.target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "seed \(seed)")
      #expect(url.authority.utf8.allSatisfy { $0 > 0x20 }, "seed \(seed)")
      _ = try? url.following(text)
    }
  }

  @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
  func base64OfRFC4648(text: String, expected: String) { #expect(base64(Array(text.utf8)) == expected) }
}
