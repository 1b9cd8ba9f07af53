import Mesh
import Model
import Testing

@Suite struct ExportedServicesRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "sameness-group", "Name": "group", "Members": [{"Peer": "east"}]}"#,
      "sameness-groups are an enterprise-only feature"),
    Refusal(
      #"{"Kind": "exported-services"}"#,
      "exported-services Name must be \"default\""),
    Refusal(
      #"{"Kind": "exported-services", "Name": "team", "Services": []}"#,
      "exported-services Name must be \"default\""),
    Refusal(
      #"{"Kind": "exported-services", "Name": "default", "Services": [{"Consumers": [{"Peer": "east"}]}]}"#,
      "Services[0]: service name cannot be empty"),
    Refusal(
      #"{"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web"}]}"#,
      "Services[0]: must have at least one consumer"),
    Refusal(
      #"""
      {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Consumers": [{
      "Peer": "*"}]}]}
      """#,
      "Services[0].Consumers[0]: exporting to all peers (wildcard) is not supported"),
    Refusal(
      #"""
      {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Consumers": [{
      "Partition": "*"}]}]}
      """#,
      "Services[0].Consumers[0]: exporting to all partitions (wildcard) is not supported"),
    Refusal(
      #"""
      {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Consumers": [{"Peer": "a",
      "Partition": "b"}]}]}
      """#,
      "Services[0].Consumers[0]: must define at most one of Peer, Partition, or SamenessGroup"),
    Refusal(
      #"""
      {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Consumers": [{
      "SamenessGroup": "b"}]}]}
      """#,
      "Services[0].Consumers[0]: sameness-groups are an enterprise-only feature"),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let accepted: [String] = [
    #"{"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Consumers": [{}]}]}"#,
    #"""
    {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Consumers": [{
    "Partition": "other"}]}]}
    """#,
    #"""
    {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Namespace": "*", "Consumers": [
    {"Peer": "b"}]}]}
    """#,
  ]

  @Test("what only looks wrong is accepted", arguments: accepted)
  func accepts(_ body: String) { #expect(preparation(of: body) == nil) }

  static let normalized: [Normalization] = [
    Normalization(
      #"{"Kind": "exported-services", "Name": "default"}"#,
      #"{"Kind": "exported-services", "Name": "default"}"#),
    Normalization(
      #"""
      {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Consumers": [{
      "Peer": "east"}, {"Peer": "west"}]}, {"Name": "*", "Consumers": [{"Peer": "north"}]}]}
      """#,
      #"""
      {"Kind": "exported-services", "Name": "default", "Services": [{"Name": "web", "Consumers": [{
      "Peer": "east"}, {"Peer": "west"}]}, {"Name": "*", "Consumers": [{"Peer": "north"}]}]}
      """#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
