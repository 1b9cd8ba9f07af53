import Testing

@testable import Model

@Suite struct PatternGroupTests {
  @Test(arguments: [
    ("^geo-db-(.*?)-([^\\-]+?)$", "geo-db-customer-primary", ["geo-db-customer-primary", "customer", "primary"]),
    ("(a+)(b+)?", "xaac", ["aa", "aa", ""]),
    ("(a|ab)(c|bcd)", "abcd", ["abcd", "a", "bcd"]),
    ("a*?", "aaa", [""]),
    ("(?:x)(y)", "xy", ["xy", "y"]),
    ("(?P<name>\\d+)", "no 42", ["42", "42"]),
    ("(?U)(a+)(a*)", "aaa", ["a", "a", ""]),
    ("(a)|(b)", "b", ["b", "", "b"]),
    ("((a)b)+", "abab", ["abab", "ab", "a"]),
    ("^$", "", [""]),
  ])
  func theFirstMatchAndItsGroups(pattern: String, text: String, groups: [String]) throws {
    #expect(try Pattern(pattern).groups(in: text) == groups)
  }

  @Test func withoutAMatchThereAreNoGroups() throws {
    #expect(try Pattern("^m-(.*)$").groups(in: "n-x") == nil)
  }

  @Test func repetitionsThatABacktrackerNeverEndsTakeLinearTime() throws {
    let pattern = try Pattern("^(a+)+$")
    #expect(pattern.groups(in: String(repeating: "a", count: 2000) + "b") == nil)
    #expect(pattern.groups(in: String(repeating: "a", count: 2000))?.count == 2)
  }
}
