import Mesh
import Model
import Testing

@Suite struct ServiceRouterRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "service-router"}"#,
      "Name is required"),
    Refusal(
      #"{"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathExact": "noslash"}}}]}"#,
      "Route[0] PathExact doesn't start with '/': \"noslash\""),
    Refusal(
      #"{"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "noslash"}}}]}"#,
      "Route[0] PathPrefix doesn't start with '/': \"noslash\""),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "/a",
      "PathExact": "/b"}}}]}
      """#,
      "Route[0] should only contain at most one of PathExact, PathPrefix, or PathRegex"),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"Header": [{"Present": true}]}}}]}
      """#,
      "Route[0] Header[0] missing required Name field"),
    Refusal(
      #"{"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"Header": [{"Name": "x"}]}}}]}"#,
      "Route[0] Header[0] should only contain one of Present, Exact, Prefix, Suffix, or Regex"),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"Header": [{"Name": "x",
      "Exact": "a", "Prefix": "b"}]}}}]}
      """#,
      "Route[0] Header[0] should only contain one of Present, Exact, Prefix, Suffix, or Regex"),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"QueryParam": [{"Exact": "a"}]}}}]}
      """#,
      "Route[0] QueryParam[0] missing required Name field"),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"QueryParam": [{"Name": "q",
      "Exact": "a", "Present": true}]}}}]}
      """#,
      "Route[0] QueryParam[0] should only contain one of Present, Exact, or Regex"),
    Refusal(
      #"{"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"Methods": ["GET", "FETCH"]}}}]}"#,
      "Route[0] Methods contains an invalid method \"FETCH\""),
    Refusal(
      #"{"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"Methods": ["GET", "get"]}}}]}"#,
      "Route[0] Methods contains \"GET\" more than once"),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"Methods": ["GET"]}},
      "Destination": {"PrefixRewrite": "/x"}}]}
      """#,
      "Route[0] cannot make use of PrefixRewrite without configuring either PathExact or PathPrefix"),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathRegex": "/x.*"}},
      "Destination": {"PrefixRewrite": "/x"}}]}
      """#,
      "Route[0] cannot make use of PrefixRewrite without configuring either PathExact or PathPrefix"),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "/a"}},
      "Destination": {"RetryOn": ["sometimes"]}}]}
      """#,
      "Route[0] contains an invalid retry condition: \"sometimes\""),
    Refusal(
      #"{"Kind": "service-router", "Name": "web", "Routes": [{"Destination": {"RequestTimeout": "later"}}]}"#,
      "1 error(s) decoding:\n\n* error decoding 'Routes[0].Destination.RequestTimeout': time: invalid "
        + "duration \"later\""),
    Refusal(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "/"}}}, {"Match": {
      "HTTP": {"PathExact": "x"}}}]}
      """#,
      "Route[1] PathExact doesn't start with '/': \"x\""),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let accepted: [String] = [
    #"{"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathRegex": "/(["}}}]}"#,
    #"{"Kind": "service-router", "Name": "web", "Routes": [{"Destination": {"Namespace": "other"}}]}"#,
  ]

  @Test("what only looks wrong is accepted", arguments: accepted)
  func accepts(_ body: String) { #expect(preparation(of: body) == nil) }

  static let normalized: [Normalization] = [
    Normalization(
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "/admin",
      "Methods": ["GET", "post"], "CaseInsensitive": true, "Header": [{"Name": "x-debug", "Exact": "1"}, {
      "Name": "x-user", "Present": true, "Invert": true}, {"Name": "x-r", "Regex": "a.*"}], "QueryParam": [{
      "Name": "x-mode", "Present": true}, {"Name": "y", "Exact": "z"}]}}, "Destination": {"Service": "admin",
      "PrefixRewrite": "/", "RequestTimeout": "15s", "IdleTimeout": "90s", "NumRetries": 15,
      "RetryOnConnectFailure": true, "RetryOnStatusCodes": [401, 209], "RetryOn": ["reset", "gateway-error"],
      "RequestHeaders": {"Add": {"a": "b"}}, "ResponseHeaders": {"Remove": ["server"]}}}, {"Match": {"HTTP": {
      "PathExact": "/exact"}}, "Destination": {"ServiceSubset": "v2"}}, {"Destination": {"Service": "web"}}]}
      """#,
      #"""
      {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "/admin",
      "CaseInsensitive": true, "Header": [{"Name": "x-debug", "Exact": "1"}, {"Name": "x-user", "Present": true,
      "Invert": true}, {"Name": "x-r", "Regex": "a.*"}], "QueryParam": [{"Name": "x-mode", "Present": true}, {
      "Name": "y", "Exact": "z"}], "Methods": ["GET", "POST"]}}, "Destination": {"RequestTimeout": "15s",
      "IdleTimeout": "1m30s", "Service": "admin", "PrefixRewrite": "/", "NumRetries": 15,
      "RetryOnConnectFailure": true, "RetryOn": ["reset", "gateway-error"], "RetryOnStatusCodes": [401, 209],
      "RequestHeaders": {"Add": {"a": "b"}}, "ResponseHeaders": {"Remove": ["server"]}}}, {"Match": {"HTTP": {
      "PathExact": "/exact"}}, "Destination": {"ServiceSubset": "v2"}}, {"Destination": {"Service": "web"}}]}
      """#),
    Normalization(
      #"""
      {"kind": "service-router", "name": "admin", "routes": [{"match": {"http": {"path_regex": "/v[0-9]+",
      "query_param": [{"name": "q", "regex": "x+"}]}}, "destination": {"service_subset": "", "prefix_rewrite": "",
      "request_timeout": "100ms", "num_retries": 2, "retry_on_connect_failure": true, "retry_on_status_codes": [
      503]}}]}
      """#,
      #"""
      {"Kind": "service-router", "Name": "admin", "Routes": [{"Match": {"HTTP": {"PathRegex": "/v[0-9]+",
      "QueryParam": [{"Name": "q", "Regex": "x+"}]}}, "Destination": {"RequestTimeout": "100ms", "NumRetries": 2,
      "RetryOnConnectFailure": true, "RetryOnStatusCodes": [503]}}]}
      """#),
    Normalization(
      #"{"Kind": "service-router", "Name": "web"}"#,
      #"{"Kind": "service-router", "Name": "web", "Routes": null}"#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
