import Mesh
import Model
import Testing

@Suite struct APIGatewaysRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "api-gateway", "Name": "gw"}"#,
      "api gateway must have at least one listener"),
    Refusal(
      #"{"Kind": "api-gateway", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http"}]}"#,
      "serviceName is required"),
    Refusal(
      #"{"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "http"}]}"#,
      "listener name \"\" is invalid, must be at least 1 character and contain only letters, numbers, or dashes"),
    Refusal(
      #"{"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a b", "Port": 80, "Protocol": "http"}]}"#,
      "listener name \"a b\" is invalid, must be at least 1 character and contain only letters, numbers, "
        + "or dashes"),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http"}, {
      "Name": "a", "Port": 81, "Protocol": "http"}]}
      """#,
      "found multiple listeners with the name \"a\""),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http"}, {
      "Name": "b", "Port": 80, "Protocol": "tcp"}]}
      """#,
      "listeners \"a\" and \"b\" cannot be merged"),
    Refusal(
      #"{"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "grpc"}]}"#,
      "unsupported listener protocol \"grpc\", must be one of 'tcp', or 'http'"),
    Refusal(
      #"{"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80}]}"#,
      "unsupported listener protocol \"\", must be one of 'tcp', or 'http'"),
    Refusal(
      #"{"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 0, "Protocol": "http"}]}"#,
      "listener port 0 not in the range 1-65535"),
    Refusal(
      #"{"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 70000, "Protocol": "http"}]}"#,
      "listener port 70000 not in the range 1-65535"),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "tcp",
      "Hostname": "x.y"}]}
      """#,
      "hostname specification is not supported when using TCP"),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http",
      "Hostname": "a.*.y"}]}
      """#,
      "host \"a.*.y\" is not valid, a wildcard specifier is only allowed as the left-most label"),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http", "TLS": {
      "Certificates": [{"Kind": "secret", "Name": "x"}]}}]}
      """#,
      "unsupported certificate kind: \"secret\", must be 'file-system-certificate' or 'inline-certificate'"),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http", "TLS": {
      "Certificates": [{"Kind": "inline-certificate"}]}}]}
      """#,
      "certificate reference must have a name"),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http", "TLS": {
      "MinVersion": "TLSv9"}}]}
      """#,
      "no matching TLS version found for TLSv9, please specify one of [TLS_AUTO, TLSv1_0, TLSv1_1, "
        + "TLSv1_2, TLSv1_3]"),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http",
      "MaxConnections": "x"}]}
      """#,
      "1 error occurred:\n\t* invalid config key \"Listeners[0].MaxConnections\"\n\n"),
    Refusal(
      #"{"Kind": "http-route", "Parents": [{"Name": "gw"}]}"#,
      "serviceName is required"),
    Refusal(
      #"{"Kind": "http-route", "Name": "r", "Parents": [{"Kind": "mesh", "Name": "gw"}]}"#,
      "unsupported parent kind: \"mesh\", must be 'api-gateway'"),
    Refusal(
      #"{"Kind": "http-route", "Name": "r", "Parents": [{"Name": "gw"}, {"Name": "gw"}]}"#,
      "route parents must be unique"),
    Refusal(
      #"{"Kind": "http-route", "Name": "r", "Hostnames": ["*"]}"#,
      "host \"*\" must not be a wildcard"),
    Refusal(
      #"{"Kind": "http-route", "Name": "r", "Rules": [{"Matches": [{"Method": "FETCH"}]}]}"#,
      "Rule[0], Match[0], Method contains an invalid method \"FETCH\""),
    Refusal(
      #"{"Kind": "http-route", "Name": "r", "Rules": [{"Matches": [{"Path": {"Match": "exact", "Value": "x"}}]}]}"#,
      "Rule[0], Match[0], Path, exact type match doesn't start with '/': \"x\""),
    Refusal(
      #"{"Kind": "http-route", "Name": "r", "Rules": [{"Matches": [{"Path": {"Match": "glob", "Value": "/x"}}]}]}"#,
      "Rule[0], Match[0], Path, match type should be one of exact, prefix, or regex"),
    Refusal(
      #"{"Kind": "http-route", "Name": "r", "Rules": [{"Matches": [{"Headers": [{"Match": "exact"}]}]}]}"#,
      "Rule[0], Match[0], Headers[0], missing required Name field"),
    Refusal(
      #"""
      {"Kind": "http-route", "Name": "r", "Rules": [{"Matches": [{"Headers": [{"Match": "like", "Name": "x"}]}]}]}
      """#,
      "Rule[0], Match[0], Headers[0], match type should be one of present, exact, prefix, suffix, or regex"),
    Refusal(
      #"""
      {"Kind": "http-route", "Name": "r", "Rules": [{"Matches": [{"Query": [{"Match": "prefix", "Name": "x"}]}]}]}
      """#,
      "Rule[0], Match[0], Query[0], match type should be one of present, exact, or regex"),
    Refusal(
      #"{"Kind": "tcp-route", "Name": "t", "Services": [{"Name": "a"}, {"Name": "b"}]}"#,
      "tcp-route currently only supports one service"),
    Refusal(
      #"{"Kind": "tcp-route", "Name": "t", "Parents": [{"Kind": "x", "Name": "gw"}]}"#,
      "unsupported parent kind: \"x\", must be 'api-gateway'"),
    Refusal(
      #"{"Kind": "file-system-certificate"}"#,
      "serviceName is required"),
    Refusal(
      #"""
      {"kind": "http-route", "name": "snake", "hostnames": ["a.example.com", "*.b.example.com"], "parents": [{
      "name": "gw", "section_name": "s"}], "rules": [{"matches": [{"path": {"match": "exact", "value": "/x"},
      "method": "post", "headers": [{"match": "regex", "name": "h", "value": "a+"}], "query": [{"match": "exact",
      "name": "q", "value": "1"}]}], "filters": {"headers": [{"add": {"a": "b"}, "remove": ["c"]}],
      "url_rewrite": {"path": "/y"}, "timeout_filter": {"request_timeout": "5s", "idle_timeout": "10s"}},
      "services": [{"name": "a", "weight": 90}, {"name": "b", "weight": 10, "filters": {"headers": [{"set": {
      "s": "t"}}]}}]}]}
      """#,
      "3 errors occurred:\n\t* invalid config key \"Parents[0].section_name\"\n\t* invalid config key "
        + "\"Rules[0].Filters.url_rewrite\"\n\t* invalid config key \"Rules[0].Filters.timeout_filter\"\n\n"),
    Refusal(
      #"""
      {"Kind": "http-route", "Name": "jwt", "Parents": [{"Name": "gw"}], "Rules": [{"Filters": {"JWT": {
      "Providers": [{"Name": "okta"}]}}, "Services": [{"Name": "a"}]}]}
      """#,
      "1 error occurred:\n\t* invalid config key \"Rules[0].Filters.JWT.Providers\", api-gateway jwt "
        + "validation is a consul enterprise feature\n\n"),
    Refusal(
      #"{"Kind": "http-route", "Name": "r", "Hostnames": ["*.example.com"]}"#,
      "host \"*.example.com\" must not be a wildcard"),
    Refusal(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "a", "Port": 80, "Protocol": "http",
      "Default": {"JWT": {"Providers": [{"Name": "okta"}]}}}]}
      """#,
      "1 error occurred:\n\t* invalid config key \"Listeners[0].Default.JWT.Providers\", "
        + "api-gateway jwt validation is a consul enterprise feature\n\n"),
    Refusal(#"{"Kind": "tcp-route", "Services": [{"Name": "a"}]}"#, "serviceName is required"),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let accepted: [String] = [
    #"{"Kind": "http-route", "Name": "r", "Hostnames": ["not a host!"]}"#,
    #"{"Kind": "file-system-certificate", "Name": "f"}"#,
    #"{"Kind": "file-system-certificate", "Name": "f", "Certificate": "/a"}"#,
  ]

  @Test("what only looks wrong is accepted", arguments: accepted)
  func accepts(_ body: String) { #expect(preparation(of: body) == nil) }

  static let normalized: [Normalization] = [
    Normalization(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "web", "Port": 8443, "Protocol": "http",
      "Hostname": "*.example.com"}, {"Name": "raw", "Port": 9443, "Protocol": "tcp"}]}
      """#,
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "web", "Hostname": "*.example.com",
      "Port": 8443, "Protocol": "http", "TLS": {"Certificates": null, "MaxVersion": "", "MinVersion": "",
      "CipherSuites": null}}, {"Name": "raw", "Hostname": "", "Port": 9443, "Protocol": "tcp", "TLS": {
      "Certificates": null, "MaxVersion": "", "MinVersion": "", "CipherSuites": null}}]}
      """#),
    Normalization(
      #"""
      {"Kind": "http-route", "Name": "r1", "Hostnames": ["a.example.com"], "Parents": [{"Kind": "api-gateway",
      "Name": "gw", "SectionName": "web"}], "Rules": [{"Matches": [{"Path": {"Match": "prefix", "Value": "/v1"},
      "Method": "GET", "Headers": [{"Match": "exact", "Name": "x", "Value": "1"}], "Query": [{"Match": "present",
      "Name": "q"}]}], "Filters": {"Headers": [{"Add": {"a": "b"}, "Set": {"c": "d"}, "Remove": ["e"]}],
      "URLRewrite": {"Path": "/v2"}, "TimeoutFilter": {"RequestTimeout": "3s", "IdleTimeout": "4s"},
      "RetryFilter": {"NumRetries": 3, "RetryOn": ["reset"], "RetryOnStatusCodes": [502],
      "RetryOnConnectFailure": true}}, "ResponseFilters": {"Headers": [{"Remove": ["server"]}]}, "Services": [{
      "Name": "web", "Weight": 3}, {"Name": "other"}]}]}
      """#,
      #"""
      {"Kind": "http-route", "Name": "r1", "Parents": [{"Kind": "api-gateway", "Name": "gw",
      "SectionName": "web"}], "Rules": [{"Filters": {"Headers": [{"Add": {"a": "b"}, "Remove": ["e"], "Set": {
      "c": "d"}}], "URLRewrite": {"Path": "/v2"}, "RetryFilter": {"NumRetries": 3, "RetryOn": ["reset"],
      "RetryOnStatusCodes": [502], "RetryOnConnectFailure": true}, "TimeoutFilter": {"RequestTimeout": 3000000000,
      "IdleTimeout": 4000000000}, "JWT": null}, "ResponseFilters": {"Headers": [{"Add": null, "Remove": [
      "server"], "Set": null}]}, "Matches": [{"Headers": [{"Match": "exact", "Name": "x", "Value": "1"}],
      "Method": "GET", "Path": {"Match": "prefix", "Value": "/v1"}, "Query": [{"Match": "present", "Name": "q",
      "Value": ""}]}], "Services": [{"Name": "web", "Weight": 3, "Filters": {"Headers": null, "URLRewrite": null,
      "RetryFilter": null, "TimeoutFilter": null, "JWT": null}, "ResponseFilters": {"Headers": null}}, {
      "Name": "other", "Weight": 1, "Filters": {"Headers": null, "URLRewrite": null, "RetryFilter": null,
      "TimeoutFilter": null, "JWT": null}, "ResponseFilters": {"Headers": null}}]}], "Hostnames": [
      "a.example.com"]}
      """#),
    Normalization(
      #"""
      {"Kind": "http-route", "Name": "r1", "Hostnames": ["a.example.com"], "Parents": [{"Kind": "api-gateway",
      "Name": "gw", "SectionName": "web"}], "Rules": [{"Services": [{"Name": "web"}]}]}
      """#,
      #"""
      {"Kind": "http-route", "Name": "r1", "Parents": [{"Kind": "api-gateway", "Name": "gw",
      "SectionName": "web"}], "Rules": [{"Filters": {"Headers": null, "URLRewrite": null, "RetryFilter": null,
      "TimeoutFilter": null, "JWT": null}, "ResponseFilters": {"Headers": null}, "Matches": null, "Services": [{
      "Name": "web", "Weight": 1, "Filters": {"Headers": null, "URLRewrite": null, "RetryFilter": null,
      "TimeoutFilter": null, "JWT": null}, "ResponseFilters": {"Headers": null}}]}], "Hostnames": [
      "a.example.com"]}
      """#),
    Normalization(
      #"""
      {"Kind": "tcp-route", "Name": "t1", "Parents": [{"Name": "gw", "SectionName": "raw"}], "Services": [{
      "Name": "db"}]}
      """#,
      #"""
      {"Kind": "tcp-route", "Name": "t1", "Parents": [{"Kind": "api-gateway", "Name": "gw",
      "SectionName": "raw"}], "Services": [{"Name": "db"}]}
      """#),
    Normalization(
      #"""
      {"Kind": "tcp-route", "Name": "t2", "Parents": [{"Name": "gw", "SectionName": "web"}], "Services": [{
      "Name": "db"}]}
      """#,
      #"""
      {"Kind": "tcp-route", "Name": "t2", "Parents": [{"Kind": "api-gateway", "Name": "gw",
      "SectionName": "web"}], "Services": [{"Name": "db"}]}
      """#),
    Normalization(
      #"""
      {"Kind": "http-route", "Name": "r2", "Parents": [{"Name": "nowhere"}], "Rules": [{"Services": [{
      "Name": "web"}]}]}
      """#,
      #"""
      {"Kind": "http-route", "Name": "r2", "Parents": [{"Kind": "api-gateway", "Name": "nowhere",
      "SectionName": ""}], "Rules": [{"Filters": {"Headers": null, "URLRewrite": null, "RetryFilter": null,
      "TimeoutFilter": null, "JWT": null}, "ResponseFilters": {"Headers": null}, "Matches": null, "Services": [{
      "Name": "web", "Weight": 1, "Filters": {"Headers": null, "URLRewrite": null, "RetryFilter": null,
      "TimeoutFilter": null, "JWT": null}, "ResponseFilters": {"Headers": null}}]}], "Hostnames": null}
      """#),
    Normalization(
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "web", "Port": 8443, "Protocol": "http",
      "TLS": {"Certificates": [{"Kind": "inline-certificate", "Name": "missing"}]}}]}
      """#,
      #"""
      {"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "web", "Hostname": "", "Port": 8443,
      "Protocol": "http", "TLS": {"Certificates": [{"Kind": "inline-certificate", "Name": "missing",
      "SectionName": ""}], "MaxVersion": "", "MinVersion": "", "CipherSuites": null}}]}
      """#),
    Normalization(
      #"""
      {"Kind": "file-system-certificate", "Name": "missing", "Certificate": "/etc/c.pem",
      "PrivateKey": "/etc/k.pem"}
      """#,
      #"""
      {"Kind": "file-system-certificate", "Name": "missing", "Certificate": "/etc/c.pem",
      "PrivateKey": "/etc/k.pem"}
      """#),
    Normalization(
      #"{"Kind": "http-route", "Name": "plain", "Rules": [{"Services": [{"Name": "a"}]}]}"#,
      #"""
      {"Kind": "http-route", "Name": "plain", "Parents": null, "Rules": [{"Filters": {"Headers": null,
      "URLRewrite": null, "RetryFilter": null, "TimeoutFilter": null, "JWT": null}, "ResponseFilters": {
      "Headers": null}, "Matches": null, "Services": [{"Name": "a", "Weight": 1, "Filters": {"Headers": null,
      "URLRewrite": null, "RetryFilter": null, "TimeoutFilter": null, "JWT": null}, "ResponseFilters": {
      "Headers": null}}]}], "Hostnames": null}
      """#),
    Normalization(
      #"""
      {"Kind": "tcp-route", "Name": "t", "Parents": [{"Name": "gw"}], "Services": [{"Name": "db"}], "Meta": {
      "m": "n"}}
      """#,
      #"""
      {"Kind": "tcp-route", "Name": "t", "Parents": [{"Kind": "api-gateway", "Name": "gw", "SectionName": ""}],
      "Services": [{"Name": "db"}], "Meta": {"m": "n"}}
      """#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
