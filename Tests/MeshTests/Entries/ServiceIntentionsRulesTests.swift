import Mesh
import Model
import Testing

@Suite struct ServiceIntentionsRulesTests {
  /// The member `Sources` of an entry for `db`, and why the entry is refused.
  static let refused: [Refusal] = [
    Refusal("[]", "At least one source is required"),
    Refusal(#"[{"Action": "allow"}]"#, "Sources[0].Name is required"),
    Refusal(
      #"[{"Name": "w*", "Action": "allow"}]"#,
      "Sources[0].Name: wildcard character '*' cannot be used with partial values"),
    Refusal(#"[{"Name": "web"}]"#, "Sources[0].Action must be set to 'allow' or 'deny'"),
    Refusal(#"[{"Name": "web", "Action": "permit"}]"#, "Sources[0].Action must be set to 'allow' or 'deny'"),
    Refusal(#"[{"Name": "web", "Action": "allow", "Type": "external"}]"#, "Sources[0].Type must be set to 'consul'"),
    Refusal(
      #"[{"Name": "web", "Action": "allow", "Permissions": [{"Action": "allow", "HTTP": {"PathExact": "/"}}]}]"#,
      "Sources[0].Action must be omitted if Permissions are specified"),
    Refusal(
      #"[{"Name": "web", "Action": "allow"}, {"Name": "web", "Action": "deny"}]"#,
      "Sources[1] defines \"web\" more than once"),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"HTTP": {"PathExact": "/"}}]}]"#,
      "Sources[0].Permissions[0].Action must be set to 'allow' or 'deny'"),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"Action": "allow"}]}]"#, "Sources[0].Permissions[0].HTTP is required"),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {}}]}]"#,
      "Sources[0].Permissions[0].HTTP should not be empty"),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"PathExact": "a"}}]}]"#,
      "Sources[0].Permissions[0].HTTP.PathExact doesn't start with '/': \"a\""),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"PathExact": "/a", "PathRegex": "/b"}}]}]"#,
      "Sources[0].Permissions[0].HTTP should only contain at most one of PathExact, PathPrefix, or PathRegex"),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"Header": [{"Exact": "a"}]}}]}]"#,
      "Sources[0].Permissions[0].HTTP.Header[0] missing required Name field"),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"Header": [{"Name": "a"}]}}]}]"#,
      "Sources[0].Permissions[0].HTTP.Header[0] should only contain one of Present, Exact, Prefix, Suffix, "
        + "Contains, or Regex"),
    Refusal(
      #"""
      [{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"Header": [{"Name": "a", "Regex": "b",
      "IgnoreCase": true}]}}]}]
      """#,
      "Sources[0].Permissions[0].HTTP.Header[0] should set one of Exact, Prefix, Suffix, or Contains when using "
        + "IgnoreCase"),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"Methods": ["FETCH"]}}]}]"#,
      "Sources[0].Permissions[0].HTTP.Methods contains an invalid method \"FETCH\""),
    Refusal(
      #"[{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"Methods": ["get", "GET"]}}]}]"#,
      "Sources[0].Permissions[0].HTTP.Methods contains \"GET\" more than once"),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) {
    #expect(preparation(of: #"{"Kind": "service-intentions", "Name": "db", "Sources": \#(row.body)}"#) == row.text)
  }

  @Test func `names are whole or a wildcard, and wildcards have no permissions`() {
    let permissions = #"[{"Name": "web", "Permissions": [{"Action": "allow", "HTTP": {"PathExact": "/"}}]}]"#
    #expect(
      preparation(of: #"{"Kind": "service-intentions", "Name": "*", "Sources": \#(permissions)}"#)
        == "Sources[0].Permissions cannot be specified on intentions with wildcarded destinations")
    #expect(
      preparation(of: #"{"Kind": "service-intentions", "Name": "d*", "Sources": \#(permissions)}"#)
        == "Name: wildcard character '*' cannot be used with partial values")
    #expect(preparation(of: #"{"Kind": "service-intentions", "Sources": \#(permissions)}"#) == "Name is required")
  }

  @Test func `sources stand in the order of their precedence, equal ones in the user's`() throws {
    let sources =
      #"[{"Name": "*", "Action": "deny"}, {"Name": "b", "Action": "allow"}, {"Name": "a", "Action": "allow"}]"#
    for (name, precedences) in [("db", [9, 9, 8]), ("*", [6, 6, 5])] {
      let body = try json(#"{"Kind": "service-intentions", "Name": "\#(name)", "Sources": \#(sources)}"#)
      let entry = try #require(ConfigEntry(body: body).prepared().as(ServiceIntentions.self))
      #expect(entry.sources.map(\.name) == ["b", "a", "*"])
      #expect(entry.sources.map(\.precedence) == precedences)
    }
  }

  static let normalized: [Normalization] = [
    Normalization(
      #"""
      {"Kind": "service-intentions", "Name": "api", "Meta": {"owner": "sec"}, "Sources": [{"Name": "web",
      "Description": "fine grained", "Permissions": [{"Action": "deny", "HTTP": {"PathExact": "/admin",
      "Methods": ["delete", "PUT"]}}, {"Action": "allow", "HTTP": {"PathPrefix": "/v1", "Header": [{"Name": "x-a",
      "Exact": "b"}, {"Name": "x-c", "Prefix": "d", "Invert": true}, {"Name": "x-e", "Suffix": "f",
      "IgnoreCase": true}, {"Name": "x-g", "Contains": "h"}, {"Name": "x-i", "Regex": "j.*"}, {"Name": "x-k",
      "Present": true}]}}, {"Action": "allow", "HTTP": {"PathRegex": "/r/[0-9]+"}}]}, {"Name": "*",
      "Action": "deny"}]}
      """#,
      #"""
      {"Kind": "service-intentions", "Name": "api", "Sources": [{"Name": "web", "Permissions": [{"Action": "deny",
      "HTTP": {"PathExact": "/admin", "Methods": ["DELETE", "PUT"]}}, {"Action": "allow", "HTTP": {
      "PathPrefix": "/v1", "Header": [{"Name": "x-a", "Exact": "b"}, {"Name": "x-c", "Prefix": "d",
      "Invert": true}, {"Name": "x-e", "Suffix": "f", "IgnoreCase": true}, {"Name": "x-g", "Contains": "h"}, {
      "Name": "x-i", "Regex": "j.*"}, {"Name": "x-k", "Present": true}]}}, {"Action": "allow", "HTTP": {
      "PathRegex": "/r/[0-9]+"}}], "Precedence": 9, "Type": "consul", "Description": "fine grained"}, {
      "Name": "*", "Action": "deny", "Precedence": 8, "Type": "consul"}], "Meta": {"owner": "sec"}}
      """#)
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
