import Mesh
import Model
import Testing

@Suite struct ProxyDefaultsRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "proxy-defaults", "Name": "local"}"#,
      "invalid name (\"local\"), only \"global\" is supported"),
    Refusal(
      #"{"Kind": "proxy-defaults", "Name": "global", "AccessLogs": {"Enabled": true, "Type": "file"}}"#,
      "path must be specified when using file type access logs"),
    Refusal(
      #"{"Kind": "proxy-defaults", "Name": "global", "AccessLogs": {"Enabled": true, "Type": "syslog"}}"#,
      "invalid access log type: syslog"),
    Refusal(
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "AccessLogs": {"Enabled": true, "Type": "stdout",
      "Path": "/x"}}
      """#,
      "path is only valid for file type access logs"),
    Refusal(
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "AccessLogs": {"Enabled": true, "TextFormat": "a",
      "JSONFormat": "{\"a\":\"b\"}"}}
      """#,
      "cannot specify both access log JSONFormat and TextFormat"),
    Refusal(
      #"{"Kind": "proxy-defaults", "Name": "global", "AccessLogs": {"Enabled": true, "JSONFormat": "{not json"}}"#,
      "invalid access log json for JSON format: invalid character 'n' looking for beginning of object key string"),
    Refusal(
      #"{"Kind": "proxy-defaults", "Name": "global", "FailoverPolicy": {"Mode": "whatever"}}"#,
      "Failover-policy mode must be one of '', 'sequential', or 'order-by-locality'"),
    Refusal(
      #"{"Kind": "proxy-defaults", "Name": "global", "PrioritizeByLocality": {"Mode": "failover"}}"#,
      "Prioritize-by-locality requires Consul Enterprise "),
    Refusal(
      #"{"Kind": "proxy-defaults", "Name": "global", "EnvoyExtensions": [{"Name": "builtin/none"}]}"#,
      "1 error occurred:\n\t* invalid EnvoyExtensions[0][builtin/none]: name \"builtin/none\" is not a "
        + "built-in extension\n\n"),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let accepted: [String] = [
    #"{"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http"}}"#,
    #"{"Kind": "proxy-defaults"}"#,
    #"{"Kind": "proxy-defaults", "Name": "global", "FailoverPolicy": {"Mode": "sequential"}}"#,
    #"{"Kind": "proxy-defaults", "Name": "global", "MeshGateway": {"Mode": false}}"#,
    #"{"Kind": "proxy-defaults", "Name": "global", "Mode": "odd"}"#,
    #"{"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": 3}}"#,
  ]

  @Test("what only looks wrong is accepted", arguments: accepted)
  func accepts(_ body: String) { #expect(preparation(of: body) == nil) }

  static let normalized: [Normalization] = [
    Normalization(
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http",
      "local_connect_timeout_ms": 1000, "handshake_timeout_ms": 10000, "nested": {"a": [1, 2.5, "x", true], "b": {
      "c": "d"}}, "Upper_Case": "kept"}, "Mode": "transparent", "TransparentProxy": {
      "OutboundListenerPort": 15001, "DialedDirectly": false}, "MeshGateway": {"Mode": "remote"}, "Expose": {
      "Checks": true, "Paths": [{"Path": "/health", "ListenerPort": 21500, "LocalPathPort": 8080}]},
      "AccessLogs": {"Enabled": true, "DisableListenerLogs": true, "Type": "file", "Path": "/var/log/envoy.log",
      "TextFormat": "%START_TIME%"}, "Meta": {"env": "prod"}}
      """#,
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "Config": {"Upper_Case": "kept", "handshake_timeout_ms": 10000,
      "local_connect_timeout_ms": 1000, "nested": {"a": [1, 2.5, "x", true], "b": {"c": "d"}},
      "protocol": "http"}, "Mode": "transparent", "TransparentProxy": {"OutboundListenerPort": 15001},
      "MeshGateway": {"Mode": "remote"}, "Expose": {"Checks": true, "Paths": [{"ListenerPort": 21500,
      "Path": "/health", "LocalPathPort": 8080}]}, "AccessLogs": {"Enabled": true, "DisableListenerLogs": true,
      "Type": "file", "Path": "/var/log/envoy.log", "TextFormat": "%START_TIME%"}, "Meta": {"env": "prod"}}
      """#),
    Normalization(
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http",
      "local_connect_timeout_ms": 1000}, "AccessLogs": {"Enabled": true, "Type": "file",
      "Path": "/var/log/envoy.log", "TextFormat": "%START_TIME%"}, "MeshGateway": {"Mode": "local"},
      "Mode": "direct"}
      """#,
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "Config": {"local_connect_timeout_ms": 1000,
      "protocol": "http"}, "Mode": "direct", "TransparentProxy": {}, "MeshGateway": {"Mode": "local"}, "Expose": {
      }, "AccessLogs": {"Enabled": true, "Type": "file", "Path": "/var/log/envoy.log",
      "TextFormat": "%START_TIME%"}}
      """#),
    Normalization(
      #"{"Kind": "proxy-defaults", "name": "global", "config": {"protocol": "grpc"}}"#,
      #"""
      {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "grpc"}, "TransparentProxy": {},
      "MeshGateway": {}, "Expose": {}, "AccessLogs": {}}
      """#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
