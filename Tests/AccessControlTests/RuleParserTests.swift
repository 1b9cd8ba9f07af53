import HCL
import Model
import Testing

@testable import AccessControl

@Suite struct RuleParserTests {
  private func shown(_ text: String) throws -> [String] {
    try PolicyRules(text).rules.map { rule in
      let form = rule.resource.rawValue + (rule.isPrefix ? "_prefix" : "")
      let intentions = rule.intentions.map { " intentions \($0.rawValue)" } ?? ""
      return "\(form) '\(rule.name)' \(rule.level.rawValue)\(intentions)"
    }
  }

  @Test(arguments: [
    ("", []),
    ("# only a comment", []),
    ("acl = \"write\" keyring = \"READ\" mesh = \"\"", ["acl '' write", "keyring '' read"]),
    (
      "agent \"a\" { policy = \"read\" } event_prefix \"e-\" { policy = \"deny\" }",
      ["agent 'a' read", "event_prefix 'e-' deny"]
    ),
    ("key \"a\" { policy = \"list\" } identity \"x\" { policy = \"write\" }", ["key 'a' list", "identity 'x' write"]),
    (
      "service \"s\" { policy = \"write\" intentions = \"read\" } service_prefix \"\" { policy = \"read\" intentions = \"\" }",
      ["service 's' write intentions read", "service_prefix '' read"]
    ),
    (
      #"{"key_prefix": {"": {"policy": "read"}}, "service": {"web": {"policy": "write"}}, "acl": "read"}"#,
      ["key_prefix '' read", "service 'web' write", "acl '' read"]
    ),
    (
      #"{"key_prefix": [{"a/": [{"policy": "read"}]}], "operator": "read"}"#,
      ["key_prefix 'a/' read", "operator '' read"]
    ),
    ("key_prefix = { \"x/\" = { policy = \"write\" } }", ["key_prefix 'x/' write"]),
    ("key_prefix \"\" { policy = \"WRITE\" }", ["key_prefix '' write"]),
    ("intentions = \"read\" namespace \"x\" { key \"\" { policy = \"read\" } }", []),
    ("key \"a\" { policy = \"write\" sentinel { code = \"x\" } }", ["key 'a' write"]),
    ("Name = \"p\"\nRules = <<EOF\nservice \"a\" {\n  policy = \"write\"\n}\nEOF\n", ["service 'a' write"]),
    (#"{"key": "#, []),
  ])
  func rulesAreRead(text: String, expected: [String]) throws {
    #expect(try shown(text) == expected)
  }

  @Test(arguments: [
    ("acl = \"list\"", "Invalid acl policy: \"list\""),
    (
      "operator = \"write\" operator = \"read\"",
      "Failed to parse ACL rules: The argument \"operator\" at 1:20 was already set. Each argument can only be defined once"
    ),
    ("key_prefix \"\" {", "Failed to parse ACL rules: At 1:17: object expected closing RBRACE got: EOF"),
    (
      "key \"a\" {}\nkey_prefix \"b\" { policy = \"maybe\" }",
      "Invalid key policy at 1:1, of \"a\": \"\" is none of read, list, write, deny"
    ),
    (
      "\n  key_prefix \"b\" { policy = \"maybe\" }",
      "Invalid key_prefix policy at 2:3, of \"b\": \"maybe\" is none of read, list, write, deny"
    ),
    (
      "service \"web\" { policy = \"read\" intentions = \"list\" }",
      "Invalid service intentions policy at 1:1, of \"web\": \"list\" is none of read, write, deny"
    ),
    (
      "operator { policy = \"read\" }",
      "Failed to parse ACL rules: At 1:10: operator: expected one of \"read\", \"write\", \"deny\", found a block"
    ),
    (
      "agent = \"read\"",
      "Failed to parse ACL rules: At 1:9: agent: expected a block with a name, "
        + "as in agent \"web\" { policy = \"read\" }, found a value"
    ),
    (
      "Name = \"p\"\nRules = <<EOF\n\nservice \"a\" {\n  policy = \"maybe\"\n}\nEOF\n",
      "Invalid service policy at 4:1, of \"a\": \"maybe\" is none of read, write, deny"
    ),
  ])
  func refusalsSayWhatIsWrongAndWhere(text: String, expected: String) {
    #expect(throws: RuleError.self) { try PolicyRules(text) }
    do { _ = try PolicyRules(text) } catch { #expect("\(error)" == expected) }
  }

  @Test func rulesThatCanNeverMatchAreToldAsWarnings() throws {
    let rules = try PolicyRules(
      "service \"\" { policy = \"read\" }\nservices \"a\" { policy = \"read\" }\nkey { policy = \"read\" }")
    #expect(rules.warnings.count == 3)
    #expect(rules.warnings[0].hasPrefix("At 1:1: service \"\" matches nothing"))
    #expect(rules.warnings[1].hasPrefix("At 2:1: \"services\" is no resource"))
  }

  @Test(arguments: [UInt64(1), 2, 20_261_121])
  func piecesInAnyOrderNeverCrash(seed: UInt64) {
    let pieces = [
      "key", "service_prefix", "acl", " ", "\"\"", "\"a\"", "{", "}", "[", "]", "=", "policy", "intentions", "\"read\"",
      "\"write\"", "Rules", "<<E\n", "\nE\n", ",", ":", "5", "null", "é", "\\", "#",
    ]
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
        pieces.randomElement(using: &generator) ?? ""
      }.joined()
      _ = try? PolicyRules(text)
      _ = try? PolicyRules("{" + text)
    }
  }
}

struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
