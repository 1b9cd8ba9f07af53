import Mesh
import Model
import Testing

@Suite struct ServiceDefaultsRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Meta": {"a": {"b": "c"}}}"#,
      "1 error(s) decoding:\n\n* 'Meta[a]' expected type 'string', got unconvertible type "
        + "'map[string]interface {}', value: 'map[b:c]'"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "plain", "unknownField": 3}"#,
      "1 error occurred:\n\t* invalid config key \"unknownField\"\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "plain", "UpstreamConfig": {"Defaults": {"Bogus": 1}}}"#,
      "1 error occurred:\n\t* invalid config key \"UpstreamConfig.Defaults.Bogus\"\n\n"),
    Refusal(
      #"{"Kind": "service-defaults"}"#,
      "Name is required"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "*"}"#,
      "service-defaults name must be the name of a service, and not a wildcard"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Protocol": "smtp"}"#,
      "1 error occurred:\n\t* invalid value for protocol: smtp\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "BalanceInboundConnections": "round_robin"}"#,
      "1 error occurred:\n\t* invalid value for balance_inbound_connections: round_robin\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "MutualTLSMode": "lax"}"#,
      "Invalid MutualTLSMode \"lax\". Must be one of \"\", \"strict\", or \"permissive\"."),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Overrides": [{"Protocol": "http"}]}}"#,
      "1 error occurred:\n\t* error in upstream override for :: Name is required\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Overrides": [{"Name": "*",
      "Protocol": "http"}]}}
      """#,
      "1 error occurred:\n\t* error in upstream override for *:: Wildcard name is not supported\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Defaults": {"Name": "web"}}}"#,
      "1 error occurred:\n\t* error in upstream defaults: Name must be empty\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Defaults": {"Limits": {
      "MaxConnections": -1}}}}
      """#,
      "1 error occurred:\n\t* error in upstream defaults: 1 error occurred:\n\t* max connections cannot "
        + "be negative\n\n\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Defaults": {"Limits": {
      "MaxPendingRequests": -1}}}}
      """#,
      "1 error occurred:\n\t* error in upstream defaults: 1 error occurred:\n\t* max pending requests "
        + "cannot be negative\n\n\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Defaults": {"PassiveHealthCheck": {
      "Interval": "-1s"}}}}
      """#,
      "1 error occurred:\n\t* error in upstream defaults: 1 error occurred:\n\t* passive health check "
        + "interval cannot be negative\n\n\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Defaults": {"PassiveHealthCheck": {
      "EnforcingConsecutive5xx": 101}}}}
      """#,
      "1 error occurred:\n\t* error in upstream defaults: 1 error occurred:\n\t* passive health check "
        + "enforcing_consecutive_5xx must be a percentage between 0 and 100\n\n\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Defaults": {"PassiveHealthCheck": {
      "MaxEjectionPercent": 200}}}}
      """#,
      "1 error occurred:\n\t* error in upstream defaults: 1 error occurred:\n\t* passive health check "
        + "max_ejection_percent must be a percentage between 0 and 100\n\n\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Defaults": {
      "BalanceOutboundConnections": "perhaps"}}}
      """#,
      "1 error occurred:\n\t* error in upstream defaults: 1 error occurred:\n\t* invalid value for "
        + "balance_outbound_connections: perhaps\n\n\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "UpstreamConfig": {"Defaults": {"Limits": {
      "MaxConnections": -1}, "PassiveHealthCheck": {"MaxEjectionPercent": 200}}, "Overrides": [{"Name": "a",
      "Limits": {"MaxConcurrentRequests": -2}}, {"Name": "*"}]}}
      """#,
      "3 errors occurred:\n\t* error in upstream override for a:: 1 error occurred:\n\t* max concurrent "
        + "requests cannot be negative\n\n\n\t* error in upstream override for *:: Wildcard name is not "
        + "supported\n\t* error in upstream defaults: 2 errors occurred:\n\t* passive health check "
        + "max_ejection_percent must be a percentage between 0 and 100\n\t* max connections cannot be "
        + "negative\n\n\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Destination": {"Addresses": [], "Port": 443}}"#,
      "1 error occurred:\n\t* Destination must contain at least one valid address\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "Destination": {"Addresses": ["10.0.0.1", "10.0.0.1"],
      "Port": 443}}
      """#,
      "1 error occurred:\n\t* Duplicate address '10.0.0.1' is not allowed\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Destination": {"Addresses": ["*.example.com"], "Port": 443}}"#,
      "1 error occurred:\n\t* Destination address '*.example.com' is invalid Could not validate address "
        + "*.example.com as an IP or Hostname\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Destination": {"Addresses": [""], "Port": 443}}"#,
      "1 error occurred:\n\t* Destination address '' is invalid Could not validate address  as an IP or "
        + "Hostname\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Destination": {"Addresses": ["a.example.com"], "Port": 0}}"#,
      "1 error occurred:\n\t* Invalid Port number 0\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "Destination": {"Addresses": ["a.example.com"], "Port": 443},
      "UpstreamConfig": {"Defaults": {"Protocol": "http"}}}
      """#,
      "1 error occurred:\n\t* UpstreamConfig and Destination are mutually exclusive for service defaults\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "EnvoyExtensions": [{"Name": "no/such"}]}"#,
      "1 error occurred:\n\t* invalid EnvoyExtensions[0][no/such]: name \"no/such\" is not a built-in "
        + "extension\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "EnvoyExtensions": [{"Arguments": {}}]}"#,
      "1 error occurred:\n\t* invalid EnvoyExtensions[0]: Name is required\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "EnvoyExtensions": [{"Name": "builtin/lua", "Arguments": {
      "ProxyType": "connect-proxy"}}]}
      """#,
      "1 error occurred:\n\t* invalid EnvoyExtensions[0][builtin/lua]: 2 errors occurred:\n\t* missing "
        + "Script value\n\t* unexpected Listener \"\"\n\n\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "RateLimits": {"InstanceLevel": {"RequestsPerSecond": -1}}}"#,
      "1 error occurred:\n\t* invalid rate_limits config. Rate limiting is a consul enterprise feature\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "RateLimits": {"InstanceLevel": {"Routes": [{"PathExact": "/a",
      "PathPrefix": "/b", "RequestsPerSecond": 1}]}}}
      """#,
      "1 error occurred:\n\t* invalid rate_limits config. Rate limiting is a consul enterprise feature\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Namespace": "team"}"#,
      "1 error occurred:\n\t* invalid config key \"Namespace\", namespaces are a consul enterprise feature\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Partition": "team"}"#,
      "1 error occurred:\n\t* invalid config key \"Partition\"\n\n"),
    Refusal(
      #"{"Kind": "service-defaults", "Name": "web", "Namespace": "default", "Partition": "default"}"#,
      "2 errors occurred:\n\t* invalid config key \"Namespace\", namespaces are a consul enterprise "
        + "feature\n\t* invalid config key \"Partition\"\n\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "EnvoyExtensions": [{
      "Name": "builtin/property-override", "Arguments": {"ProxyType": "connect-proxy", "Patches": [{
      "ResourceFilter": {"ResourceType": "cluster", "TrafficDirection": "outbound"}, "Op": "add",
      "Path": "/outlier_detection/max_ejection_time", "Value": "120s"}]}}]}
      """#,
      "1 error occurred:\n\t* invalid EnvoyExtensions[0][builtin/property-override]: 1 error "
        + "occurred:\n\t* invalid Patches[0]: unsupported target field type 'google.protobuf.Duration'\n\n\n"
        + "\n"),
    Refusal(
      #"""
      {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "EnvoyExtensions": [{"Name": "builtin/wasm",
      "Required": true, "Arguments": {"PluginConfig": {}}}]}
      """#,
      "1 error occurred:\n\t* invalid EnvoyExtensions[0][builtin/wasm]: 5 errors occurred:\n\t* "
        + "unsupported Protocol \"\", expected \"tcp\" or \"http\"\n\t* unsupported ListenerType \"\", "
        + "expected \"inbound\" or \"outbound\"\n\t* VmConfig.Code must provide exactly one of Local or "
        + "Remote data source\n\t* both Service and URI are required for Remote data sources\n\t* SHA256 "
        + "checksum is required for Remote data sources\n\n\n\n"),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let accepted: [String] = [
    #"{"Kind": "service-defaults", "Name": 17}"#,
    #"{"Kind": "service-defaults", "Name": "web", "Protocol": ["http"]}"#,
    #"{"Kind": "service-defaults", "Name": "web"}"#,
    #"{"Kind": "service-defaults", "Name": "web", "Mode": "sideways"}"#,
    #"{"Kind": "service-defaults", "Name": "web", "MeshGateway": {"Mode": "elsewhere"}}"#,
    #"{"Kind": "service-defaults", "Name": "web", "MutualTLSMode": "strict"}"#,
  ]

  @Test("what only looks wrong is accepted", arguments: accepted)
  func accepts(_ body: String) { #expect(preparation(of: body) == nil) }

  static let normalized: [Normalization] = [
    Normalization(
      #"{"Kind": "service-defaults", "Name": "web", "Protocol": "http"}"#,
      #"""
      {"Kind": "service-defaults", "Name": "web", "Protocol": "http", "TransparentProxy": {}, "MeshGateway": {},
      "Expose": {}}
      """#),
    Normalization(
      #"""
      {"Kind": "service-defaults", "Name": "dashboard", "Protocol": "http",
      "BalanceInboundConnections": "exact_balance", "Mode": "transparent", "MeshGateway": {"Mode": "local"},
      "Expose": {"Checks": true, "Paths": [{"ListenerPort": 21500, "Path": "/healthz", "LocalPathPort": 8080,
      "Protocol": "http2"}]}, "ExternalSNI": "dashboard.example.com", "TransparentProxy": {
      "OutboundListenerPort": 15002, "DialedDirectly": true}, "MaxInboundConnections": 256,
      "LocalConnectTimeoutMs": 2500, "LocalRequestTimeoutMs": 8000, "EnvoyExtensions": [{
      "Name": "builtin/aws/lambda", "Required": false, "Arguments": {
      "ARN": "arn:aws:lambda:us-west-2:111111111111:function:lambda-1234"}}], "UpstreamConfig": {"Defaults": {
      "ConnectTimeoutMs": 5, "MeshGateway": {"Mode": "remote"}, "Limits": {"MaxConnections": 3,
      "MaxPendingRequests": 4, "MaxConcurrentRequests": 5}}, "Overrides": [{"Name": "redis", "Protocol": "tcp",
      "PassiveHealthCheck": {"Interval": "2s", "MaxFailures": 3, "EnforcingConsecutive5xx": 50,
      "MaxEjectionPercent": 30, "BaseEjectionTime": "40s"}}, {"Name": "finance", "ConnectTimeoutMs": 1234,
      "BalanceOutboundConnections": "exact_balance"}]}}
      """#,
      #"""
      {"Kind": "service-defaults", "Name": "dashboard", "Protocol": "http", "Mode": "transparent",
      "TransparentProxy": {"OutboundListenerPort": 15002, "DialedDirectly": true}, "MeshGateway": {
      "Mode": "local"}, "Expose": {"Checks": true, "Paths": [{"ListenerPort": 21500, "Path": "/healthz",
      "LocalPathPort": 8080, "Protocol": "http2"}]}, "ExternalSNI": "dashboard.example.com", "UpstreamConfig": {
      "Overrides": [{"Name": "redis", "Peer": "", "Protocol": "tcp", "PassiveHealthCheck": {
      "Interval": 2000000000, "MaxFailures": 3, "EnforcingConsecutive5xx": 50, "MaxEjectionPercent": 30,
      "BaseEjectionTime": 40000000000}, "MeshGateway": {}}, {"Name": "finance", "Peer": "",
      "ConnectTimeoutMs": 1234, "MeshGateway": {}, "BalanceOutboundConnections": "exact_balance"}], "Defaults": {
      "Peer": "", "ConnectTimeoutMs": 5, "Limits": {"MaxConnections": 3, "MaxPendingRequests": 4,
      "MaxConcurrentRequests": 5}, "MeshGateway": {"Mode": "remote"}}}, "MaxInboundConnections": 256,
      "LocalConnectTimeoutMs": 2500, "LocalRequestTimeoutMs": 8000, "BalanceInboundConnections": "exact_balance",
      "EnvoyExtensions": [{"Name": "builtin/aws/lambda", "Required": false, "Arguments": {
      "ARN": "arn:aws:lambda:us-west-2:111111111111:function:lambda-1234"}, "ConsulVersion": "",
      "EnvoyVersion": ""}]}
      """#),
    Normalization(
      #"""
      {"kind": "service-defaults", "name": "snake", "protocol": "http",
      "balance_inbound_connections": "exact_balance", "mode": "direct", "mesh_gateway": {"mode": "none"},
      "expose": {"checks": false, "paths": [{"listener_port": 21501, "path": "/metrics",
      "local_path_port": 9102}]}, "external_sni": "snake.example.com", "max_inbound_connections": 7,
      "local_connect_timeout_ms": 100, "local_request_timeout_ms": 200, "upstream_config": {"defaults": {
      "protocol": "http2", "connect_timeout_ms": 10, "mesh_gateway": {"mode": "local"}, "limits": {
      "max_connections": 1, "max_pending_requests": 2, "max_concurrent_requests": 0}, "passive_health_check": {
      "interval": "5s", "max_failures": 6}}, "overrides": [{"name": "cache", "envoy_cluster_json": "{}",
      "envoy_listener_json": "{}"}]}, "meta": {"owner": "ops"}}
      """#,
      #"""
      {"Kind": "service-defaults", "Name": "snake", "Protocol": "http", "Mode": "direct", "TransparentProxy": {},
      "MeshGateway": {"Mode": "none"}, "Expose": {"Paths": [{"ListenerPort": 21501, "Path": "/metrics",
      "LocalPathPort": 9102}]}, "ExternalSNI": "snake.example.com", "UpstreamConfig": {"Overrides": [{
      "Name": "cache", "Peer": "", "EnvoyListenerJSON": "{}", "EnvoyClusterJSON": "{}", "MeshGateway": {}}],
      "Defaults": {"Peer": "", "Protocol": "http2", "ConnectTimeoutMs": 10, "Limits": {"MaxConnections": 1,
      "MaxPendingRequests": 2, "MaxConcurrentRequests": 0}, "PassiveHealthCheck": {"Interval": 5000000000,
      "MaxFailures": 6}, "MeshGateway": {"Mode": "local"}}}, "MaxInboundConnections": 7,
      "LocalConnectTimeoutMs": 100, "LocalRequestTimeoutMs": 200, "BalanceInboundConnections": "exact_balance",
      "Meta": {"owner": "ops"}}
      """#),
    Normalization(
      #"""
      {"Kind": "service-defaults", "Name": "external", "Protocol": "tcp", "Destination": {"Addresses": [
      "db.example.com", "10.2.3.4"], "Port": 5432}}
      """#,
      #"""
      {"Kind": "service-defaults", "Name": "external", "Protocol": "tcp", "TransparentProxy": {}, "MeshGateway": {
      }, "Expose": {}, "Destination": {"Addresses": ["db.example.com", "10.2.3.4"], "Port": 5432}}
      """#),
    Normalization(
      #"""
      {"Kind": "service-defaults", "Name": "api", "Protocol": "HTTP2", "Meta": {"team": "core",
      "cost-center": "7"}}
      """#,
      #"""
      {"Kind": "service-defaults", "Name": "api", "Protocol": "http2", "TransparentProxy": {}, "MeshGateway": {},
      "Expose": {}, "Meta": {"cost-center": "7", "team": "core"}}
      """#),
    Normalization(
      #"{"Kind": "service-defaults", "Name": "web", "Protocol": "grpc"}"#,
      #"""
      {"Kind": "service-defaults", "Name": "web", "Protocol": "grpc", "TransparentProxy": {}, "MeshGateway": {},
      "Expose": {}}
      """#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
