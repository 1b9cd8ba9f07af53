import Mesh
import Model
import Testing

@Suite struct ServiceSplitterRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "service-splitter", "Splits": [{"Weight": 100}]}"#,
      "Name is required"),
    Refusal(
      #"{"Kind": "service-splitter", "Name": "web"}"#,
      "no splits configured"),
    Refusal(
      #"{"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 99.99}]}"#,
      "the sum of all split weights must be 100, not 99.989998"),
    Refusal(
      #"""
      {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 60, "Service": "a"}, {"Weight": 50,
      "Service": "b"}]}
      """#,
      "the sum of all split weights must be 100, not 110.000000"),
    Refusal(
      #"""
      {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 50, "Service": "a"}, {"Weight": 50,
      "Service": "a"}]}
      """#,
      "split destination occurs more than once: service=\"a\", subset=\"\", namespace=\"\", partition=\"\""),
    Refusal(
      #"{"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 50}, {"Weight": 50}]}"#,
      "split destination occurs more than once: service=\"web\", subset=\"\", namespace=\"\", partition=\"\""),
    Refusal(
      #"{"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 50, "Service": "web"}, {"Weight": 50}]}"#,
      "split destination occurs more than once: service=\"web\", subset=\"\", namespace=\"\", partition=\"\""),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let accepted: [String] = [
    #"""
    {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 0.001, "Service": "a"}, {"Weight": 99.999}]}
    """#,
    #"{"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": -10, "Service": "a"}, {"Weight": 110}]}"#,
    #"{"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": "100"}]}"#,
    #"{"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 100, "Namespace": "other"}]}"#,
  ]

  @Test("what only looks wrong is accepted", arguments: accepted)
  func accepts(_ body: String) { #expect(preparation(of: body) == nil) }

  static let normalized: [Normalization] = [
    Normalization(
      #"""
      {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 90, "ServiceSubset": "v1",
      "RequestHeaders": {"Set": {"x-split": "v1"}, "Add": {"x-more": "1"}, "Remove": ["x-old"]},
      "ResponseHeaders": {"Set": {"x-out": "v1"}}}, {"Weight": 9.5, "ServiceSubset": "v2"}, {"Weight": 0.5,
      "Service": "admin"}]}
      """#,
      #"""
      {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 90, "ServiceSubset": "v1",
      "RequestHeaders": {"Add": {"x-more": "1"}, "Set": {"x-split": "v1"}, "Remove": ["x-old"]},
      "ResponseHeaders": {"Set": {"x-out": "v1"}}}, {"Weight": 9.5, "ServiceSubset": "v2"}, {"Weight": 0.5,
      "Service": "admin"}]}
      """#)
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
