import Mesh
import Model
import Testing

@Suite struct ServiceIntentionsRulesTests {

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
