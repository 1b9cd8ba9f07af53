import Mesh
import Model
import Testing

@Suite struct JWTProvidersRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "jwt-provider"}"#,
      "Name is required"),
    Refusal(
      #"{"Kind": "jwt-provider", "Name": "okta"}"#,
      "JSONWebKeySet is required"),
    Refusal(
      #"{"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {}}"#,
      "must specify exactly one of Local or Remote JSON Web key set"),
    Refusal(
      #"{"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {}}}"#,
      "must specify exactly one of String or filename for local keyset"),
    Refusal(
      #"{"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"JWKS": "%%%"}}}"#,
      "JWKS must be valid base64 encoded string"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"JWKS": "eyJrZXlzIjogW119",
      "Filename": "/a"}}}
      """#,
      "must specify exactly one of String or filename for local keyset"),
    Refusal(
      #"{"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Remote": {}}}"#,
      "Remote JWKS URI is required"),
    Refusal(
      #"{"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Remote": {"URI": "not a uri"}}}"#,
      "Remote JWKS URI is invalid: parse \"not a uri\": invalid URI for request, uri: not a uri"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"Filename": "/a"}, "Remote": {
      "URI": "https://a.example.com"}}}
      """#,
      "must specify exactly one of Local or Remote JSON Web key set"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Remote": {"URI": "https://a.example.com",
      "RetryPolicy": {"NumRetries": 2, "RetryPolicyBackOff": {"BaseInterval": "10s", "MaxInterval": "1s"}}}}}
      """#,
      "retry policy backoff's MaxInterval should be greater or equal to BaseInterval"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Remote": {"URI": "https://a.example.com",
      "JWKSCluster": {"DiscoveryType": "MAGIC"}}}}
      """#,
      "unsupported jwks cluster discovery type: \"MAGIC\""),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"Filename": "/a"}}, "Locations": [{}]}
      """#,
      "1 error occurred:\n\t* must set exactly one of: JWT location header, query param or cookie\n\n"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"Filename": "/a"}}, "Locations": [{
      "Header": {}}]}
      """#,
      "1 error occurred:\n\t* JWT location header name must be specified\n\n"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"Filename": "/a"}}, "Locations": [{
      "QueryParam": {}}]}
      """#,
      "1 error occurred:\n\t* JWT location query param name must be specified\n\n"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"Filename": "/a"}}, "Locations": [{
      "Cookie": {}}]}
      """#,
      "1 error occurred:\n\t* JWT location cookie name must be specified\n\n"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"Filename": "/a"}}, "Forwarding": {
      "PadForwardPayloadHeader": true}}
      """#,
      "Header name required for forwarding config"),
    Refusal(
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Remote": {"URI": "https://a.example.com",
      "JWKSCluster": {"TLSCertificates": {}}}}}
      """#,
      "must specify exactly one of: CaCertificateProviderInstance or TrustedCA for JKWS' TLSCertificates"),
    Refusal(
      #"{"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Remote": {"URI": "://a"}}}"#,
      "Remote JWKS URI is invalid: parse \"://a\": missing protocol scheme, uri: ://a"),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let normalized: [Normalization] = [
    Normalization(
      #"{"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"JWKS": "eyJrZXlzIjogW119"}}}"#,
      #"""
      {"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"JWKS": "eyJrZXlzIjogW119"}},
      "ClockSkewSeconds": 30}
      """#),
    Normalization(
      #"""
      {"Kind": "jwt-provider", "Name": "auth0", "Issuer": "auth0", "Audiences": ["a", "b"], "JSONWebKeySet": {
      "Remote": {"URI": "https://auth0.example.com/jwks", "RequestTimeoutMs": 1500, "CacheDuration": "30m",
      "FetchAsynchronously": true, "UseSNI": true, "RetryPolicy": {"NumRetries": 4, "RetryPolicyBackOff": {
      "BaseInterval": "1s", "MaxInterval": "10s"}}, "JWKSCluster": {"DiscoveryType": "STRICT_DNS",
      "ConnectTimeout": "5s"}}}, "Locations": [{"Header": {"Name": "x-token", "ValuePrefix": "Bearer ",
      "Forward": true}}, {"QueryParam": {"Name": "jwt"}}, {"Cookie": {"Name": "session"}}], "Forwarding": {
      "HeaderName": "user-token", "PadForwardPayloadHeader": true}, "ClockSkewSeconds": 20, "CacheConfig": {
      "Size": 30}, "Meta": {"k": "v"}}
      """#,
      #"""
      {"Kind": "jwt-provider", "Name": "auth0", "JSONWebKeySet": {"Remote": {
      "URI": "https://auth0.example.com/jwks", "RequestTimeoutMs": 1500, "CacheDuration": 1800000000000,
      "FetchAsynchronously": true, "UseSNI": true, "RetryPolicy": {"NumRetries": 4, "RetryPolicyBackOff": {
      "BaseInterval": 1000000000, "MaxInterval": 10000000000}}, "JWKSCluster": {"DiscoveryType": "STRICT_DNS",
      "ConnectTimeout": 5000000000}}}, "Issuer": "auth0", "Audiences": ["a", "b"], "Locations": [{"Header": {
      "Name": "x-token", "ValuePrefix": "Bearer ", "Forward": true}}, {"QueryParam": {"Name": "jwt"}}, {
      "Cookie": {"Name": "session"}}], "Forwarding": {"HeaderName": "user-token",
      "PadForwardPayloadHeader": true}, "ClockSkewSeconds": 20, "CacheConfig": {"Size": 30}, "Meta": {"k": "v"}}
      """#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
