import Testing

@testable import Model

private func message<Root: Filterable>(_ type: Root.Type, _ text: String) -> String? {
  do throws(FilterError) {
    _ = try Filter<Root>(text)
    return nil
  } catch {
    return error.description
  }
}

private let prefix = "Failed to create boolean expression evaluator: "

@Test(arguments: [
  (###"nonsense"###, ###"1:9 (8): no match found, expected: "!=", ".", "==", "[", [ \t\r\n] or [a-zA-Z0-9_]"###),
  (###"Unknown == 1"###, ###"Selector "Unknown" is not valid"###),
  (###"Service.Name == web"###, ###"Selector "Service.Name" is not valid"###),
  (###"service == web"###, ###"Selector "service" is not valid"###),
  (
    ###"Service = web"###,
    ###"1:9 (8): no match found, expected: "!=", "==", "contains", "in", "is", "matches", "not" or [ \t\r\n]"###
  ),
  (
    ###"Service === web"###,
    ###"1:11 (10): no match found, expected: "-", "0", "\"", "`", [ \t\r\n], [1-9] or [a-zA-Z]"###
  ),
  (
    ###"Port > 5"###,
    ###"1:6 (5): no match found, expected: "!=", "==", "contains", "in", "is", "matches", "not" or [ \t\r\n]"###
  ),
  (
    ###"Port == abc"###,
    ###"Failed to coerce value "abc" for selector "Port": strconv.ParseInt: parsing "abc": invalid syntax"###
  ),
  (
    ###"Port == 1.5"###,
    ###"Failed to coerce value "1.5" for selector "Port": strconv.ParseInt: parsing "1.5": invalid syntax"###
  ),
  (
    ###"EnableTagOverride == maybe"###,
    ###"Failed to coerce value "maybe" for selector "EnableTagOverride": strconv.ParseBool: parsing "maybe": invalid syntax"###
  ),
  (###"Port is empty"###, ###"Invalid match operator "Is Empty" for selector "Port""###),
  (###"Tags == a"###, ###"Invalid match operator "Equal" for selector "Tags""###),
  (
    ###"Service matches "[""###,
    ###"Failed to compile regular expression "[": error parsing regexp: missing closing ]: `[`"###
  ),
  (###"Service == "unterminated"###, ###"1:25 (24): rule "string": Unterminated string literal"###),
  (###"Service == `unterminated"###, ###"1:25 (24): rule "string": Unterminated string literal"###),
  (
    ###"Service == 'single'"###,
    ###"1:12 (11): no match found, expected: "-", "0", "\"", "`", [ \t\r\n], [1-9] or [a-zA-Z]"###
  ),
  (###"Meta["x" == y"###, ###"1:10 (9): rule "index": Unclosed index expression"###),
  (###"Service =="###, ###"1:11 (10): no match found, expected: "-", "0", "\"", "`", [ \t\r\n], [1-9] or [a-zA-Z]"###),
  (
    ###"== web"###,
    ###"1:1 (0): no match found, expected: "(", "-", "0", "\"", "`", "not", [ \t\r\n], [1-9] or [a-zA-Z]"###
  ),
  (###"Service == web extra"###, ###"1:16 (15): no match found, expected: "and", "or", [ \t\r\n] or EOF"###),
  (###"Service == a AND Port == 1"###, ###"1:14 (13): no match found, expected: "and", "or", [ \t\r\n] or EOF"###),
  (###"Service == a && Port == 1"###, ###"1:14 (13): no match found, expected: "and", "or", [ \t\r\n] or EOF"###),
  (###"Service == a || Port == 1"###, ###"1:14 (13): no match found, expected: "and", "or", [ \t\r\n] or EOF"###),
  (
    ###"!(Service == a)"###,
    ###"1:1 (0): no match found, expected: "(", "-", "0", "\"", "`", "not", [ \t\r\n], [1-9] or [a-zA-Z]"###
  ),
  (###"(Service == a"###, ###"1:14 (13): rule "grouping": Unmatched parentheses"###),
  (###"Service == a and"###, ###"1:17 (16): no match found, expected: [ \t\r\n]"###),
  (
    ###"NOT Service == a"###,
    ###"1:5 (4): no match found, expected: "!=", "==", "contains", "in", "is", "matches", "not" or [ \t\r\n]"###
  ),
  (###" "###, ###"1:2 (1): no match found, expected: "(", "-", "0", "\"", "`", "not", [ \t\r\n], [1-9] or [a-zA-Z]"###),
])
func invalidServiceFilterNamesTheProblem(text: String, problem: String) {
  #expect(message(NodeService.self, text) == prefix + problem)
}

@Test(arguments: [
  (###"Unknown == 1"###, ###"Selector "Unknown" is not valid"###),
  (###"Node =="###, ###"1:8 (7): no match found, expected: "-", "0", "\"", "`", [ \t\r\n], [1-9] or [a-zA-Z]"###),
  (###"Meta.a.b == 1"###, ###"Selector "Meta.a.b" is not valid"###),
  (###""/Meta/with space" == 2"###, ###"1:20 (19): no match found, expected: "in", "not" or [ \t\r\n]"###),
  (###""/Meta/a.b" == 1"###, ###"1:13 (12): no match found, expected: "in", "not" or [ \t\r\n]"###),
  (###""/Meta/sl~1ash" == 3"###, ###"1:17 (16): no match found, expected: "in", "not" or [ \t\r\n]"###),
  (
    ###"Meta["q\"uote"] == 4"###,
    ###"1:6 (5): rule "string": invalid syntax\###n1:10 (9): rule "index": Unclosed index expression"###
  ),
  (###"Meta.plain == "va\"l""###, ###"1:15 (14): rule "string": invalid syntax"###),
  (###"Meta.ключ == да"###, ###"1:6 (5): no match found, expected: [a-zA-Z]"###),
  (###"Meta.0num == n"###, ###"1:6 (5): no match found, expected: [a-zA-Z]"###),
  (
    ###"Node == n-2 or Node == n2"###,
    ###"1:10 (9): no match found, expected: ".", "[", [ \t\r\n], [a-zA-Z0-9_] or EOF"###
  ),
  (###"Address == 192.0.2.1"###, ###"1:17 (16): rule "number": Invalid number literal"###),
  (###"Meta.missing is empty and Node != s1"###, ###"Invalid match operator "Is Empty" for selector "Meta.missing""###),
])
func invalidNodeFilterNamesTheProblem(text: String, problem: String) {
  #expect(message(Node.self, text) == prefix + problem)
}

private let web: NodeService = {
  var service = NodeService()
  service.service = "web"
  service.id = "web-1"
  service.port = 80
  service.tags = ["v1", "primary"]
  service.meta = ["env": "prod", "a.b": "1"]
  service.taggedAddresses = ["lan": ServiceAddress(address: "192.0.2.1", port: 8080)]
  service.enableTagOverride = true
  return service
}()

@Test(arguments: [
  ("Service == web", true), ("Service != web", false), ("Service == `web` and Port == 80", true),
  ("Service == a or Service == b and Port == 9", false), ("(Service == web or Service == b) and Port == 80", true),
  ("not v1 in Tags", false), ("not not v1 in Tags", true), ("\"v2\" not in Tags", true),
  ("Tags contains primary", true),
  ("Tags is empty", false), ("Tags is not empty", true), ("env in Meta", true), ("Meta.env == prod", true),
  ("Meta[\"a.b\"] == 1", true), ("Meta.none == \"\"", false), ("Meta.none != x", true), ("Meta.none not in Meta", true),
  ("TaggedAddresses.lan.Port == 8080", true), ("TaggedAddresses[\"wan\"].Port == 8080", false),
  ("ID matches `^web-[0-9]$`", true), ("ID not matches web", false), ("eb in Service", true),
  ("EnableTagOverride == true", true), ("Weights.Passing == 1", false), ("Proxy.Upstreams is empty", true),
])
func filterSelectsByOperatorAndLogic(text: String, selected: Bool) throws {
  #expect(try Filter<NodeService>(text).matches(web) == selected)
}

@Test func deeplyNestedFilterIsRefused() {
  let text = String(repeating: "(", count: 5000) + "Port == 1" + String(repeating: ")", count: 5000)
  #expect(message(NodeService.self, text) != nil)
}

@Test(arguments: [
  ("a|b", "xxb", true), ("^a.c$", "abc", true), ("^a.c$", "a\nc", false), ("(?s)^a.c$", "a\nc", true),
  ("(?i)WEB", "my-web", true), ("^(ab)*$", "ababab", true), ("^(ab)*$", "aba", false),
  ("[[:digit:]]{3}", "ab123", true),
  ("[^0-9]", "123", false), ("\\bweb\\b", "a web b", true), ("\\bweb\\b", "cobweb", false), ("^a{2,3}$", "aaaa", false),
  ("x*", "", true), ("^(a|a?)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false), ("\\Qa.b\\E", "a.b", true),
])
func patternMatchesLikeRE2(pattern: String, text: String, matches: Bool) throws {
  #expect(try Pattern(pattern).matches(text) == matches)
}

@Test(arguments: ["[", "(", ")", "a**", "*", "a{2,1}", "\\", "\\y", "(?x)", "[z-a]", "(a{1000}){1000}"])
func malformedPatternIsRefused(pattern: String) {
  #expect(throws: Pattern.Invalid.self) { try Pattern(pattern) }
}
