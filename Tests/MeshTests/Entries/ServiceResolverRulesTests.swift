import Mesh
import Model
import Testing

@Suite struct ServiceResolverRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Service": "last", "Policy": {
      "Mode": "order-by-locality", "Regions": ["us"]}}}}
      """#,
      "Bad Failover[\"*\"]: Setting failover policies requires Consul Enterprise"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Service": "last", "Policy": {
      "Mode": "sequential"}}}}
      """#,
      "Bad Failover[\"*\"]: Setting failover policies requires Consul Enterprise"),
    Refusal(
      #"{"Kind": "service-resolver"}"#,
      "Name is required"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Subsets": {"": {}}}"#,
      "Subset defined with empty name"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Subsets": {"Bad Name": {}}}"#,
      "Subset \"Bad Name\" is invalid: must be 63 characters or fewer, begin or end with lower case "
        + "alphanumeric characters, and contain lower case alphanumeric characters or '-' in between"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Subsets": {"v1": {"Filter": "Service.Meta.version = v1"}}}"#,
      "Filter for subset \"v1\" is not a valid expression: 1:22 (21): no match found, expected: \"!=\", "
        + "\"==\", \"contains\", \"in\", \"is\", \"matches\", \"not\" or [ \\t\\r\\n]"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "DefaultSubset": "v1"}"#,
      "DefaultSubset \"v1\" is not a valid subset"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Redirect": {}}"#,
      "Redirect is empty"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Redirect": {"ServiceSubset": "v1"}}"#,
      "Redirect.ServiceSubset defined without Redirect.Service"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "web", "ServiceSubset": "gone"}}"#,
      "Redirect.ServiceSubset \"gone\" is not a valid subset of \"web\""),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "other", "Peer": "p",
      "Datacenter": "d"}}
      """#,
      "Redirect.Peer cannot be set with Redirect.Datacenter"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Redirect": {"Peer": "p"}}"#,
      "Redirect.Peer defined without Redirect.Service"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "other", "ServiceSubset": "s",
      "Peer": "p"}}
      """#,
      "Redirect.Peer cannot be set with Redirect.ServiceSubset"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "other", "Namespace": "n"}}"#,
      "Redirect: Setting Namespace requires Consul Enterprise"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "other", "Partition": "n"}}"#,
      "Redirect: Setting Partition requires Consul Enterprise"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "other", "SamenessGroup": "g"}}"#,
      "Redirect: Setting SamenessGroup requires Consul Enterprise"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "other"}, "Failover": {"*": {
      "Service": "backup"}}}
      """#,
      "Redirect and Failover cannot both be set"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Failover": {"v9": {"Service": "backup"}}}"#,
      "Bad Failover[\"v9\"]: not a valid subset subset"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Failover": {"*": {}}}"#,
      "Bad Failover[\"*\"]: one of Service, ServiceSubset, Namespace, Targets, SamenessGroup, or "
        + "Datacenters is required"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Datacenters": [""]}}}"#,
      "Bad Failover[\"*\"].Datacenters: found empty datacenter"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"ServiceSubset": "v7"}}}"#,
      "Bad Failover[\"*\"]: ServiceSubset \"v7\" is not a valid subset of \"\""),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Service": "b", "Targets": [{
      "Service": "c"}]}}}
      """#,
      "Bad Failover[\"*\"]: Targets cannot be set with Service"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Datacenters": ["dc2"], "Targets": [{
      "Service": "c"}]}}}
      """#,
      "Bad Failover[\"*\"]: Targets cannot be set with Datacenters"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Targets": [{"Peer": "p",
      "Datacenter": "d"}]}}}
      """#,
      "Bad Failover[\"*\"].Targets[0]: Peer cannot be set with Datacenter"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Targets": [{"Peer": "p",
      "ServiceSubset": "d"}]}}}
      """#,
      "Bad Failover[\"*\"].Targets[0]: Peer cannot be set with ServiceSubset"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Service": "b", "Policy": {
      "Mode": "nonsense"}}}}
      """#,
      "Bad Failover[\"*\"]: Setting failover policies requires Consul Enterprise"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Service": "b", "SamenessGroup": "g"}}}"#,
      "Bad Failover[\"*\"]: Setting SamenessGroup requires Consul Enterprise"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "-1s"}"#,
      "Bad ConnectTimeout '-1s', must be >= 0"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "RequestTimeout": "-1s"}"#,
      "Bad RequestTimeout '-1s', must be >= 0"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "soon"}"#,
      "1 error(s) decoding:\n\n* error decoding 'ConnectTimeout': time: invalid duration \"soon\""),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "fairest"}}"#,
      "Bad LoadBalancer policy: \"fairest\" is not supported"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "random", "RingHashConfig": {
      "MinimumRingSize": 1}}}
      """#,
      "Bad LoadBalancer configuration. RingHashConfig specified for incompatible load balancing policy \"random\""),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "ring_hash", "LeastRequestConfig": {
      "ChoiceCount": 1}}}
      """#,
      "Bad LoadBalancer configuration. LeastRequestConfig specified for incompatible load balancing "
        + "policy \"ring_hash\""),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "least_request", "HashPolicies": [{
      "SourceIP": true}]}}
      """#,
      "Bad LoadBalancer configuration: HashPolicies specified for non-hash-based Policy: \"least_request\""),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "maglev", "HashPolicies": [{
      "Field": "body", "FieldValue": "x"}]}}
      """#,
      "Bad LoadBalancer HashPolicy[0]: \"body\" is not a supported field"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "maglev", "HashPolicies": [{
      "Field": "header", "FieldValue": "x", "SourceIP": true}]}}
      """#,
      "Bad LoadBalancer HashPolicy[0]: A single hash policy cannot hash both a source address and a \"header\""),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "maglev", "HashPolicies": [{
      "Field": "header"}]}}
      """#,
      "Bad LoadBalancer HashPolicy[0]: Field \"header\" was specified without a FieldValue"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "maglev", "HashPolicies": [{
      "FieldValue": "x"}]}}
      """#,
      "Bad LoadBalancer HashPolicy[0]: FieldValue requires a Field to apply to"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "maglev", "HashPolicies": [{
      "Field": "header", "FieldValue": "x", "CookieConfig": {"Path": "/"}}]}}
      """#,
      "Bad LoadBalancer HashPolicy[0]: cookie_config provided for \"header\""),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "LoadBalancer": {"Policy": "maglev", "HashPolicies": [{
      "Field": "cookie", "FieldValue": "x", "CookieConfig": {"Session": true, "TTL": "3s"}}]}}
      """#,
      "Bad LoadBalancer HashPolicy[0]: a session cookie cannot have an associated TTL"),
    Refusal(
      #"""
      {"Kind": "service-resolver", "Name": "web", "Failover": {"*": {"Targets": [{"Service": "a",
      "Namespace": "n"}]}}}
      """#,
      "Bad Failover[\"*\"].Targets[0]: Setting Namespace requires Consul Enterprise"),
    Refusal(
      #"{"Kind": "service-resolver", "Name": "web", "PrioritizeByLocality": {"Mode": "failover"}}"#,
      "Prioritize-by-locality requires Consul Enterprise "),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let accepted: [String] = [
    #"{"Kind": "service-resolver", "Name": "web", "Subsets": {"v1": {"Filter": "Nothing.Known == v1"}}}"#,
    #"{"Kind": "service-resolver", "Name": "web", "Redirect": {"Service": "other"}, "Subsets": {"v1": {}}}"#,
  ]

  @Test("what only looks wrong is accepted", arguments: accepted)
  func accepts(_ body: String) { #expect(preparation(of: body) == nil) }

  static let normalized: [Normalization] = [
    Normalization(
      #"{"Kind": "service-resolver", "Name": "web"}"#,
      #"{"Kind": "service-resolver", "Name": "web"}"#),
    Normalization(
      #"""
      {"Kind": "service-resolver", "Name": "web", "DefaultSubset": "v1", "ConnectTimeout": "15s",
      "RequestTimeout": "1m30s", "Subsets": {"v1": {"Filter": "Service.Meta.version == v1"}, "v2": {
      "Filter": "Service.Meta.version == v2", "OnlyPassing": true}, "all": {}}, "Failover": {"v2": {
      "ServiceSubset": "v1"}, "*": {"Service": "backup", "Datacenters": ["dc2", "dc3"]}}, "LoadBalancer": {
      "Policy": "ring_hash", "RingHashConfig": {"MinimumRingSize": 3, "MaximumRingSize": 10}, "HashPolicies": [{
      "Field": "cookie", "FieldValue": "chocolate-chip", "CookieConfig": {"TTL": "1h", "Path": "/"}}, {
      "SourceIP": true, "Terminal": true}]}}
      """#,
      #"""
      {"ConnectTimeout": "15s", "RequestTimeout": "1m30s", "Kind": "service-resolver", "Name": "web",
      "DefaultSubset": "v1", "Subsets": {"all": {}, "v1": {"Filter": "Service.Meta.version == v1"}, "v2": {
      "Filter": "Service.Meta.version == v2", "OnlyPassing": true}}, "Failover": {"*": {"Service": "backup",
      "Datacenters": ["dc2", "dc3"]}, "v2": {"ServiceSubset": "v1"}}, "LoadBalancer": {"Policy": "ring_hash",
      "RingHashConfig": {"MinimumRingSize": 3, "MaximumRingSize": 10}, "HashPolicies": [{"Field": "cookie",
      "FieldValue": "chocolate-chip", "CookieConfig": {"TTL": 3600000000000, "Path": "/"}}, {"SourceIP": true,
      "Terminal": true}]}}
      """#),
    Normalization(
      #"{"Kind": "service-resolver", "Name": "moved", "Redirect": {"Service": "web", "ServiceSubset": "v2"}}"#,
      #"{"Kind": "service-resolver", "Name": "moved", "Redirect": {"Service": "web", "ServiceSubset": "v2"}}"#),
    Normalization(
      #"{"Kind": "service-resolver", "Name": "far", "Redirect": {"Datacenter": "dc2"}}"#,
      #"{"Kind": "service-resolver", "Name": "far", "Redirect": {"Datacenter": "dc2"}}"#),
    Normalization(
      #"""
      {"Kind": "service-resolver", "Name": "peers", "Failover": {"*": {"Targets": [{"Peer": "east"}, {
      "Service": "web", "ServiceSubset": "v1"}, {"Datacenter": "dc2"}]}}, "ConnectTimeout": 3000000000}
      """#,
      #"""
      {"ConnectTimeout": "3s", "Kind": "service-resolver", "Name": "peers", "Failover": {"*": {"Targets": [{
      "Peer": "east"}, {"Service": "web", "ServiceSubset": "v1"}, {"Datacenter": "dc2"}]}}}
      """#),
    Normalization(
      #"""
      {"kind": "service-resolver", "name": "lb", "connect_timeout": "500ms", "load_balancer": {
      "policy": "least_request", "least_request_config": {"choice_count": 5}}}
      """#,
      #"""
      {"ConnectTimeout": "500ms", "Kind": "service-resolver", "Name": "lb", "LoadBalancer": {
      "Policy": "least_request", "LeastRequestConfig": {"ChoiceCount": 5}}}
      """#),
    Normalization(
      #"""
      {"kind": "service-resolver", "name": "snake", "default_subset": "one", "subsets": {"one": {
      "filter": "Service.Tags contains \"one\"", "only_passing": true}}, "failover": {"one": {
      "service_subset": "one", "datacenters": ["dc9"]}}}
      """#,
      #"""
      {"Kind": "service-resolver", "Name": "snake", "DefaultSubset": "one", "Subsets": {"one": {
      "Filter": "Service.Tags contains \"one\"", "OnlyPassing": true}}, "Failover": {"one": {
      "ServiceSubset": "one", "Datacenters": ["dc9"]}}}
      """#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
