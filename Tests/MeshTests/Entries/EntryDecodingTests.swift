import Mesh
import Model
import Testing

@Suite struct EntryDecodingTests {
  static let refused: [Refusal] = [
    Refusal("[]", "'' expected a map, got 'slice'"),
    Refusal("\"text\"", "'' expected a map, got 'string'"),
    Refusal("3", "'' expected a map, got 'float64'"),
    Refusal("null", "Payload does not contain a kind/Kind key at the top level"),
    Refusal(#"{"Name": "web"}"#, "Payload does not contain a kind/Kind key at the top level"),
    Refusal(
      #"{"KIND": "service-defaults", "NAME": "upper"}"#, "Payload does not contain a kind/Kind key at the top level"),
    Refusal(#"{"Kind": 3, "Name": "web"}"#, "Kind value in payload is not a string"),
    Refusal(#"{"Kind": "", "Name": "web"}"#, "invalid config entry kind: "),
    Refusal(#"{"Kind": "service-default", "Name": "web"}"#, "invalid config entry kind: service-default"),
    Refusal(#"{"Kind": "Service-Defaults", "Name": "web"}"#, "invalid config entry kind: Service-Defaults"),
    Refusal(
      #"{"Kind": "control-plane-request-limit", "Name": "limit"}"#,
      "invalid config entry kind: control-plane-request-limit"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Namespace": "a", "Partition": "b"}"#,
      "2 errors occurred:\n\t* invalid config key \"Namespace\", namespaces are a consul enterprise feature\n"
        + "\t* invalid config key \"Partition\"\n\n"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Subsets": {"v1": {"Bogus": 1}}}"#,
      "1 error occurred:\n\t* invalid config key \"Subsets[v1].Bogus\"\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Meta": {"a": {"b": "c"}}, "MaxInboundConnections": "many"}"#,
      """
      2 error(s) decoding:

      * 'Meta[a]' expected type 'string', got unconvertible type 'map[string]interface {}', value: 'map[b:c]'
      * cannot parse 'MaxInboundConnections' as int: strconv.ParseInt: parsing "many": invalid syntax
      """),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "TransparentProxy": {"DialedDirectly": "perhaps"}}"#,
      "1 error(s) decoding:\n\n* cannot parse 'TransparentProxy.DialedDirectly' as bool: "
        + "strconv.ParseBool: parsing \"perhaps\": invalid syntax"),
    Refusal(
      #"{"Kind": "ingress-gateway", "Name": "gw", "Defaults": {"MaxConnections": -1}}"#,
      "1 error(s) decoding:\n\n* cannot parse 'Defaults.MaxConnections', -1.000000 overflows uint"),
    Refusal(
      #"{"Kind": "service-splitter", "Name": "web", "Splits": "all"}"#,
      "1 error(s) decoding:\n\n* 'Splits[0]' expected a map, got 'string'"),
    Refusal(
      #"{"Kind": "proxy-defaults", "Config": "text"}"#,
      "1 error(s) decoding:\n\n* 'Config' expected a map, got 'string'"),
    Refusal(
      #"{"Kind": "proxy-defaults", "Config": {"a": {"b": [1, null]}}}"#,
      "1 error(s) decoding:\n\n* 'Config[a][b][1]' must not be null"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "a", "EnvoyExtensions": [{"Name": "x", "Arguments": {"a": [null]}}]}"#,
      "1 error(s) decoding:\n\n* 'EnvoyExtensions[0].Arguments[a][0]' must not be null"),
  ]

  @Test("bodies that are no entries are refused, with everything that is wrong", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let lenient: [Normalization] = [
    // Values of other types, where their meaning is plain.
    Normalization(
      #"{"Kind": "service-defaults", "Name": 17, "Protocol": ["http"], "MaxInboundConnections": "3", "Meta": {"a": true}}"#,
      #"""
      {"Kind": "service-defaults", "Name": "17", "Protocol": "http", "TransparentProxy": {}, "MeshGateway": {},
      "Expose": {}, "MaxInboundConnections": 3, "Meta": {"a": "1"}}
      """#),
    // One for a list of one, text for a list of texts, an empty list for nothing.
    Normalization(
      #"""
      {"kind": "service-router", "name": "web", "routes":
      {"match": [{"http": {"methods": "get", "path_prefix": "/"}}], "destination": []}}
      """#,
      #"{"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "/", "Methods": ["GET"]}}}]}"#
    ),
    // What only servers say is ignored.
    Normalization(
      #"""
      {"Kind": "service-intentions", "Name": "db", "CreateIndex": 7, "ModifyIndex": 8, "Hash": 9, "Sources":
      [{"Name": "web", "Action": "allow", "Precedence": 3, "LegacyID": "a", "LegacyMeta": {"b": "c"},
      "LegacyCreateTime": "2026-01-01T00:00:00Z"}]}
      """#,
      #"""
      {"Kind": "service-intentions", "Name": "db", "Sources":
      [{"Name": "web", "Action": "allow", "Precedence": 9, "Type": "consul"}]}
      """#),
    Normalization(
      #"""
      {"Kind": "tcp-route", "Name": "t", "Status": {"Conditions": [{"Type": "Accepted", "Status": "True"}]}}
      """#,
      #"{"Kind": "tcp-route", "Name": "t", "Parents": null, "Services": null}"#),
    // Lists of one object stay lists in opaque configuration.
    Normalization(
      #"{"Kind": "proxy-defaults", "Config": {"protocol": 3, "a": [{"b": 1}], "c": null}}"#,
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "Config": {"a": [{"b": 1}], "c": null, "protocol": 3},
      "TransparentProxy": {}, "MeshGateway": {}, "Expose": {}, "AccessLogs": {}}
      """#),
    Normalization(
      #"{"Kind": "service-resolver", "Name": "web", "Redirect": null, "ConnectTimeout": ["3s"]}"#,
      #"{"ConnectTimeout": "3s", "Kind": "service-resolver", "Name": "web"}"#),
  ]

  @Test("values may be written in other types, names in other ways", arguments: lenient)
  func reads(_ row: Normalization) throws { #expect(try stored(row.body) == compact(row.stored)) }

  @Test func `blocks of HCL are objects, also in opaque configuration, and whole numbers stay whole`() throws {
    let body = try json(
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "MeshGateway": [{"Mode": "local"}],
      "Config": [{"protocol": "http", "local_connect_timeout_ms": 1234, "nested": [{"a": [{"b": 1}], "c": [1]}]}]}
      """#)
    let entry = try ConfigEntry(body: body, blocks: true).prepared()
    let defaults = try #require(entry.as(ProxyDefaults.self))
    #expect(defaults.meshGateway.mode == "local")
    #expect(defaults.protocol == "http")
    #expect(
      Dynamic.object(defaults.config.members).json
        == #"{"local_connect_timeout_ms":1234,"nested":{"a":{"b":1},"c":[1]},"protocol":"http"}"#)
    guard case .int = defaults.config["local_connect_timeout_ms"] else {
      Issue.record("not a whole number")
      return
    }
  }

  @Test func `numbers in JSON's opaque configuration are floating-point`() throws {
    let entry = try ConfigEntry(body: try json(#"{"Kind": "proxy-defaults", "Config": {"a": 1}}"#)).prepared()
    guard case .double = try #require(entry.as(ProxyDefaults.self)).config["a"] else {
      Issue.record("a whole number")
      return
    }
  }

  @Test func `the kinds of API gateways know one spelling`() {
    #expect(
      preparation(of: #"{"kind": "inline-certificate", "name": "c", "private_key": "k"}"#)
        == "1 error occurred:\n\t* invalid config key \"private_key\"\n\n")
  }
}
