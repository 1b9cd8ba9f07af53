import Mesh
import Model
import Testing

@Suite struct EnvoyExtensionRulesTests {
  /// An extension, and what is wrong with it.
  static let refused: [Refusal] = [
    Refusal(#"{"Arguments": {}}"#, ": Name is required"),
    Refusal(#"{"Name": "no/such"}"#, "[no/such]: name \"no/such\" is not a built-in extension"),
    Refusal(
      #"{"Name": "builtin/lua", "Arguments": {"ProxyType": "connect-proxy"}}"#,
      "[builtin/lua]: 2 errors occurred:\n\t* missing Script value\n\t* unexpected Listener \"\"\n\n"),
    Refusal(
      #"{"Name": "builtin/wasm", "Required": true, "Arguments": {"PluginConfig": {}}}"#,
      "[builtin/wasm]: 5 errors occurred:\n\t* unsupported Protocol \"\", expected \"tcp\" or \"http\"\n"
        + "\t* unsupported ListenerType \"\", expected \"inbound\" or \"outbound\"\n"
        + "\t* VmConfig.Code must provide exactly one of Local or Remote data source\n"
        + "\t* both Service and URI are required for Remote data sources\n"
        + "\t* SHA256 checksum is required for Remote data sources\n\n"),
    Refusal(
      #"""
      {"Name": "builtin/property-override", "Arguments": {"ProxyType": "connect-proxy", "Patches":
      [{"ResourceFilter": {"ResourceType": "cluster", "TrafficDirection": "outbound"}, "Op": "add",
      "Path": "/outlier_detection/max_ejection_time", "Value": "120s"}]}}
      """#,
      "[builtin/property-override]: 1 error occurred:\n"
        + "\t* invalid Patches[0]: unsupported target field type 'google.protobuf.Duration'\n\n"),
    Refusal(
      #"{"Name": "builtin/property-override", "Arguments": {"Patches": []}}"#,
      "[builtin/property-override]: 1 error occurred:\n\t* at least one patch is required\n\n"),
    Refusal(
      #"{"Name": "builtin/ext-authz", "Arguments": {"Config": {"HttpService": {"Target": {"URI": "10.0.0.1:80"}}}}}"#,
      "[builtin/ext-authz]: 1 error occurred:\n\t* invalid host for Target.URI \"10.0.0.1:80\": "
        + "expected \"localhost\", \"127.0.0.1\", or \"::1\"\n\n"),
    Refusal(#"{"Name": "builtin/aws/lambda"}"#, "[builtin/aws/lambda]: 1 error occurred:\n\t* ARN is required\n\n"),
  ]

  @Test("extensions without what they need are refused", arguments: refused)
  func refuses(_ row: Refusal) {
    let body = #"{"Kind": "service-defaults", "Name": "web", "EnvoyExtensions": [\#(row.body)]}"#
    #expect(preparation(of: body) == "1 error occurred:\n\t* invalid EnvoyExtensions[0]\(row.text)\n\n")
  }

  static let accepted = [
    #"{"Name": "builtin/lua", "Arguments": {"ProxyType": "connect-proxy", "Listener": "inbound", "Script": "return"}}"#,
    #"{"Name": "builtin/lua", "Arguments": {"proxy_type": "connect-proxy", "listener": "inbound", "script": "return"}}"#,
    #"{"Name": "builtin/aws/lambda", "Arguments": {"ARN": "arn:aws:lambda:us-west-2:111111111111:function:f"}}"#,
    #"""
    {"Name": "builtin/otel-access-logging", "Arguments": {"Config": {"GrpcService": {"Target":
    {"URI": "127.0.0.1:4317"}}}}}
    """#,
    #"""
    {"Name": "builtin/ext-authz", "Arguments": {"Config": {"GrpcService": {"Target": {"Service": {"Name": "authz"}}}}}}
    """#,
    #"""
    {"Name": "builtin/wasm", "Arguments": {"Protocol": "http", "ListenerType": "inbound", "PluginConfig":
    {"VmConfig": {"Code": {"Local": {"Filename": "/opt/p.wasm"}}}}}}
    """#,
    #"""
    {"Name": "builtin/property-override", "Arguments": {"ProxyType": "connect-proxy", "Patches":
    [{"ResourceFilter": {"ResourceType": "cluster", "TrafficDirection": "outbound"}, "Op": "add",
    "Path": "/respect_dns_ttl", "Value": true}]}}
    """#,
  ]

  @Test("extensions that have what they need are accepted", arguments: accepted)
  func accepts(_ text: String) {
    let body = #"{"Kind": "proxy-defaults", "Name": "global", "EnvoyExtensions": [\#(text)]}"#
    #expect(preparation(of: body) == nil)
  }
}
