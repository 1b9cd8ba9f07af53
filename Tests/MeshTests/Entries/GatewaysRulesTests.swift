import Mesh
import Model
import Testing

@Suite struct GatewaysRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "ingress-gateway"}"#,
      "failed inserting config entry: object missing primary index"),
    Refusal(
      #"{"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80}]}"#,
      "No service declared for listener with port 80"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "udp", "Services": [{
      "Name": "db"}]}]}
      """#,
      "protocol must be 'tcp', 'http', 'http2', or 'grpc'. 'udp' is an unsupported protocol"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{
      "Name": "a"}]}, {"Port": 80, "Protocol": "http", "Services": [{"Name": "b"}]}]}
      """#,
      "port 80 declared on two listeners"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "tcp", "Services": [{
      "Name": "a"}, {"Name": "b"}]}]}
      """#,
      "Multiple services per listener are only supported for L7 protocols, 'http', 'grpc' and 'http2' "
        + "(listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "tcp", "Services": [{
      "Name": "*"}]}]}
      """#,
      "Wildcard service name is only valid for protocol = 'http' (listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "tcp", "Services": [{
      "Name": "a", "Hosts": ["a.b"]}]}]}
      """#,
      "Associating hosts to a service is not supported for the tcp protocol (listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{}]}]}
      """#,
      "Service name cannot be blank (listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{
      "Name": "*", "Hosts": ["a"]}]}]}
      """#,
      "Associating hosts to a wildcard service is not supported (listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{
      "Name": "a"}, {"Name": "a"}]}]}
      """#,
      "Service a cannot be added multiple times (listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{
      "Name": "a", "Hosts": ["x.y"]}, {"Name": "b", "Hosts": ["x.y"]}]}]}
      """#,
      "Hosts must be unique within a specific listener (listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{
      "Name": "a", "Hosts": ["a.*.b"]}]}]}
      """#,
      "Host \"a.*.b\" is not valid, a wildcard specifier is only allowed as the leftmost label"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "TLS": {"Enabled": true}, "Listeners": [{"Port": 80,
      "Protocol": "http", "Services": [{"Name": "a", "Hosts": ["*"]}]}]}
      """#,
      "Host '*' is not allowed when TLS is enabled, all hosts must be valid DNS records to add as a DNSSAN"),
    Refusal(
      #"{"Kind": "ingress-gateway", "Name": "gw", "TLS": {"TLSMinVersion": "TLSv9"}, "Listeners": []}"#,
      "no matching TLS version found for TLSv9, please specify one of [TLS_AUTO, TLSv1_0, TLSv1_1, "
        + "TLSv1_2, TLSv1_3]"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "TLS": {"SDS": {
      "ClusterName": "c"}}, "Services": [{"Name": "a"}]}]}
      """#,
      "TLS.SDS.CertResource is required if ClusterName is set for listener (listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{
      "Name": "a", "TLS": {"SDS": {"CertResource": "c", "ClusterName": "d"}}}]}]}
      """#,
      "A service specifying TLS.SDS.CertResource must have at least one item in Hosts (service \"a\" on "
        + "listener on port 80)"),
    Refusal(
      #"{"Kind": "terminating-gateway"}"#,
      "serviceName is required"),
    Refusal(
      #"{"Kind": "terminating-gateway", "Name": "t", "Services": [{}]}"#,
      "Service name cannot be blank."),
    Refusal(
      #"{"Kind": "terminating-gateway", "Name": "t", "Services": [{"Name": "a"}, {"Name": "a"}]}"#,
      "Service \"a\" was specified more than once within a namespace"),
    Refusal(
      #"{"Kind": "terminating-gateway", "Name": "t", "Services": [{"Name": "a", "CertFile": "/x"}]}"#,
      "Service \"a\" must have a CertFile, CAFile, and KeyFile specified for TLS origination"),
    Refusal(
      #"{"Kind": "terminating-gateway", "Name": "t", "Services": [{"Name": "a", "KeyFile": "/x", "CAFile": "/y"}]}"#,
      "Service \"a\" must have a CertFile, CAFile, and KeyFile specified for TLS origination"),
    Refusal(
      #"{"Kind": "terminating-gateway", "Name": "t", "Services": [{"Name": "a", "Namespace": "other"}]}"#,
      "1 error occurred:\n\t* invalid config key \"Services[0].Namespace\", namespaces are a consul "
        + "enterprise feature\n\n"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http",
      "TLS": {"SDS": {"CertResource": "c"}}, "Services": [{"Name": "a"}]}]}
      """#,
      "TLS.SDS.ClusterName is required if CertResource is set for listener (listener on port 80)"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services":
      [{"Name": "a", "Hosts": ["*-suffix.example.com"]}]}]}
      """#,
      "Host \"*-suffix.example.com\" is not valid, a wildcard specifier is only allowed as the leftmost label"),
    Refusal(
      #"""
      {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services":
      [{"Name": "a", "Hosts": [""]}]}]}
      """#,
      "Host \"\" must be a valid DNS hostname"),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let accepted: [String] = [
    #"""
    {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{
    "Name": "a", "Hosts": ["bad host!"]}]}]}
    """#,
    #"{"Kind": "ingress-gateway", "Name": "gw", "TLS": {"SDS": {"CertResource": "x"}}, "Listeners": []}"#,
    #"""
    {"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http", "Services": [{
    "Name": "a", "RequestHeaders": {"Set": {"": "b"}}}]}]}
    """#,
  ]

  @Test("what only looks wrong is accepted", arguments: accepted)
  func accepts(_ body: String) { #expect(preparation(of: body) == nil) }

  static let normalized: [Normalization] = [
    Normalization(
      #"""
      {"Kind": "ingress-gateway", "Name": "us-east-ingress", "TLS": {"Enabled": true, "TLSMinVersion": "TLSv1_2"},
      "Defaults": {"MaxConnections": 10, "MaxPendingRequests": 20, "MaxConcurrentRequests": 30}, "Listeners": [{
      "Port": 8080, "Protocol": "http", "Services": [{"Name": "web", "Hosts": ["web.example.com"]}, {
      "Name": "api", "RequestHeaders": {"Set": {"a": "b"}}, "MaxConnections": 4}]}, {"Port": 3456, "Services": [{
      "Name": "db"}]}]}
      """#,
      #"""
      {"Kind": "ingress-gateway", "Name": "us-east-ingress", "TLS": {"Enabled": true, "TLSMinVersion": "TLSv1_2"},
      "Listeners": [{"Port": 8080, "Protocol": "http", "Services": [{"Name": "web", "Hosts": ["web.example.com"]},
      {"Name": "api", "Hosts": null, "RequestHeaders": {"Set": {"a": "b"}}, "MaxConnections": 4}]}, {"Port": 3456,
      "Protocol": "tcp", "Services": [{"Name": "db", "Hosts": null}]}], "Defaults": {"MaxConnections": 10,
      "MaxPendingRequests": 20, "MaxConcurrentRequests": 30}}
      """#),
    Normalization(
      #"""
      {"kind": "ingress-gateway", "name": "wild", "listeners": [{"port": 80, "protocol": "http", "services": [{
      "name": "*"}]}]}
      """#,
      #"""
      {"Kind": "ingress-gateway", "Name": "wild", "TLS": {"Enabled": false}, "Listeners": [{"Port": 80,
      "Protocol": "http", "Services": [{"Name": "*", "Hosts": null}]}]}
      """#),
    Normalization(
      #"""
      {"Kind": "terminating-gateway", "Name": "out", "Services": [{"Name": "billing", "CAFile": "/etc/ca.crt",
      "SNI": "billing.example.com"}, {"Name": "*", "CAFile": "/etc/other.crt", "CertFile": "/c", "KeyFile": "/k"},
      {"Name": "secure", "DisableAutoHostRewrite": true}], "Meta": {"x": "y"}}
      """#,
      #"""
      {"Kind": "terminating-gateway", "Name": "out", "Services": [{"Name": "billing", "CAFile": "/etc/ca.crt",
      "SNI": "billing.example.com"}, {"Name": "*", "CAFile": "/etc/other.crt", "CertFile": "/c", "KeyFile": "/k"},
      {"Name": "secure", "DisableAutoHostRewrite": true}], "Meta": {"x": "y"}}
      """#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
