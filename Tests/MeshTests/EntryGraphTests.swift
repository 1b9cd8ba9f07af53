import Mesh
import Model
import Testing

/// Which changes are refused, with the texts of the reference.
@Suite struct EntryGraphTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let before: [String]
    /// The JSON of an entry, or `kind/name` for a removal.
    let change: String
    /// Empty for a change that is accepted.
    let refusal: String

    init(_ before: [String], _ change: String, _ refusal: String = "") {
      self.before = before
      self.change = change
      self.refusal = refusal
    }

    var testDescription: String { refusal.isEmpty ? change : refusal }
  }

  static func check(_ text: String, in entries: StoredEntries) throws {
    try EntryGraph.check(change(text), in: entries, datacenter: "dc1")
  }

  static func change(_ text: String) throws -> ConfigEntryChange {
    if text.hasPrefix("{") { return .put(try StoredEntries.parse(text)) }
    let parts = text.split(separator: "/").map(String.init)
    return .delete(try #require(ConfigEntryKind(rawValue: parts[0])), name: parts[1])
  }

  private func expectOutcome(_ example: Case) throws {
    let entries = try StoredEntries(example.before)
    if example.refusal.isEmpty {
      try Self.check(example.change, in: entries)
    } else {
      #expect(throws: ConfigEntryError(example.refusal)) { try Self.check(example.change, in: entries) }
    }
  }

  // MARK: Chains

  static let splitWeb = Texts.splitter("web", #"{"Weight": 50}, {"Weight": 50, "Service": "a"}"#)
  static let httpWeb = [Texts.defaults("web", "http"), Texts.defaults("a", "http")]
  static let routeX = Texts.router("x", #"{"Destination": {"Service": "y"}}"#)
  static let failF = Texts.resolver("f", #""Failover": {"*": {"Service": "g", "ServiceSubset": "v3"}}"#)
  static let subsetG = Texts.resolver("g", #""Subsets": {"v3": {}}"#)

  static func inconsistent(_ chain: String, _ service: String, _ is: String, _ expected: String) -> String {
    "discovery chain \"\(chain)\" uses inconsistent protocols; service \"\(service)\" has \"\(`is`)\" which is not "
      + "\"\(expected)\""
  }
  static func noRouting(_ chain: String) -> String {
    "discovery chain \"\(chain)\" uses a protocol \"tcp\" that does not permit advanced routing or splitting behavior"
  }
  static func noSubset(_ service: String, _ subset: String) -> String {
    "service \"\(service)\" does not have a subset named \"\(subset)\""
  }

  static let chains: [Case] = [
    Case([], splitWeb, noRouting("web")),
    Case([], routeX, noRouting("x")),
    Case([Texts.defaults("web", "http")], splitWeb, inconsistent("web", "a", "tcp", "http")),
    Case(
      [Texts.defaults("web", "http"), Texts.defaults("a", "http2")], splitWeb,
      inconsistent("web", "a", "http2", "http")),
    Case(httpWeb, splitWeb),
    Case(httpWeb, Texts.splitter("web", #"{"Weight": 100, "ServiceSubset": "v1"}"#), noSubset("web", "v1")),
    Case(httpWeb + [splitWeb], Texts.defaults("a", "tcp"), inconsistent("web", "a", "tcp", "http")),
    Case(httpWeb + [splitWeb], "service-defaults/a", inconsistent("web", "a", "tcp", "http")),
    Case(httpWeb + [splitWeb], "service-defaults/web", inconsistent("web", "a", "http", "tcp")),
    Case(
      httpWeb + [splitWeb], Texts.splitter("a", #"{"Weight": 50}, {"Weight": 50, "Service": "web"}"#),
      "detected circular reference: [splitter:a.default.default -> splitter:web.default.default -> "
        + "splitter:a.default.default]"),
    Case(
      [Texts.resolver("b", #""Redirect": {"Service": "c"}"#), Texts.resolver("c", #""Redirect": {"Service": "d"}"#)],
      Texts.resolver("d", #""Redirect": {"Service": "b"}"#),
      "detected circular resolver redirect: [d.default.default.dc1 -> b.default.default.dc1 -> "
        + "c.default.default.dc1 -> d.default.default.dc1]"),
    Case([], Texts.resolver("d", #""Redirect": {"Service": "d"}"#)),
    Case([], failF, noSubset("g", "v3")),
    Case([subsetG], failF),
    Case([subsetG, failF], "service-resolver/g", noSubset("g", "v3")),
    Case([subsetG, failF], Texts.resolver("g", #""Subsets": {"v4": {}}"#), noSubset("g", "v3")),
    Case(httpWeb, Texts.resolver("h", #""Redirect": {"Service": "web"}"#), inconsistent("h", "web", "http", "tcp")),
    Case([Texts.proxyDefaults("grpc")], routeX),
    Case([Texts.proxyDefaults("grpc"), routeX], "proxy-defaults/global", noRouting("x")),
    Case([Texts.proxyDefaults("grpc")], "proxy-defaults/global"),
    Case(
      [Texts.proxyDefaults("http"), routeX, Texts.splitter("y", #"{"Weight": 100, "Service": "z"}"#)],
      Texts.defaults("z", "tcp"), inconsistent("x", "z", "tcp", "http")),
    Case(
      [#"{"Kind": "service-defaults", "Name": "ext", "ExternalSNI": "e.example.com"}"#],
      Texts.resolver("ext", #""Subsets": {"v1": {}}"#),
      "service \"ext\" has an external SNI set; cannot define subsets for external services"),
    Case(
      [#"{"Kind": "service-defaults", "Name": "ext", "ExternalSNI": "e.example.com"}"#],
      Texts.resolver("ext", #""Failover": {"*": {"Datacenters": ["dc2"]}}"#),
      "service \"ext\" has an external SNI set; cannot define failover for external services"),
    Case(
      [#"{"Kind": "service-defaults", "Name": "ext", "ExternalSNI": "e.example.com"}"#],
      Texts.resolver("ext", #""Redirect": {"Service": "web"}"#),
      "service \"ext\" has an external SNI set; cannot define redirects for external services"),
    Case(
      [Texts.resolver("ext", #""Subsets": {"v1": {}}"#)],
      #"{"Kind": "service-defaults", "Name": "ext", "ExternalSNI": "e.example.com"}"#,
      "service \"ext\" has an external SNI set; cannot define subsets for external services"),
  ]

  @Test(arguments: chains)
  func aChangeMayNotBreakAChain(_ example: Case) throws { try expectOutcome(example) }

  // MARK: Exports

  static func export(_ service: String, to consumer: String = #"{"Peer": "east"}"#) -> String {
    #"{"Kind": "exported-services", "Name": "default", "#
      + #""Services": [{"Name": "\#(service)", "Consumers": [\#(consumer)]}]}"#
  }
  static let far = Texts.resolver("far", #""Redirect": {"Datacenter": "dc2"}"#)

  static let exports: [Case] = [
    Case(
      [export("web")], Texts.resolver("web", #""Redirect": {"Datacenter": "dc2"}"#),
      "peer exported service \"web\" contains cross-datacenter resolver redirect"),
    Case(
      [export("web")], Texts.resolver("web", #""Redirect": {"Service": "api", "Peer": "west"}"#),
      "peer exported service \"web\" contains cross-peer resolver redirect"),
    Case(
      [export("web")], Texts.resolver("web", #""Failover": {"*": {"Datacenters": ["dc2"]}}"#),
      "peer exported service \"web\" contains cross-datacenter failover"),
    Case(
      [export("web")], Texts.resolver("web", #""Failover": {"*": {"Targets": [{"Datacenter": "dc2"}]}}"#),
      "peer exported service \"web\" contains cross-datacenter failover"),
    Case([export("web")], Texts.resolver("web", #""Failover": {"*": {"Targets": [{"Peer": "west"}]}}"#)),
    Case(
      [export("web")], Texts.resolver("web", #""Redirect": {"Service": "other"}"#),
      "peer exported service \"web\" uses protocol=\"tcp\" and cannot introduce new discovery chain targets like "
        + "\"other.default.default.dc1\""),
    Case([export("web"), Texts.proxyDefaults("http")], Texts.resolver("web", #""Redirect": {"Service": "other"}"#)),
    Case([export("web")], Texts.resolver("web", #""Subsets": {"v1": {}}, "DefaultSubset": "v1""#)),
    Case([far], export("far"), "peer exported service \"far\" contains cross-datacenter resolver redirect"),
    Case([far], export("*"), "peer exported service \"far\" contains cross-datacenter resolver redirect"),
    Case([export("*")], far, "peer exported service \"far\" contains cross-datacenter resolver redirect"),
    Case([far], export("web")),
    Case([export("web")], Texts.resolver("web", #""Failover": {"*": {"Service": "other"}}"#)),
    Case([Texts.resolver("web", #""Redirect": {"Service": "other"}"#)], export("web")),
    Case(
      [export("web"), Texts.resolver("web", #""Redirect": {"Service": "other"}"#)],
      Texts.resolver("other", #""Redirect": {"Service": "third"}"#),
      "peer exported service \"web\" uses protocol=\"tcp\" and cannot introduce new discovery chain targets like "
        + "\"third.default.default.dc1\""),
    Case(
      [export("web"), Texts.proxyDefaults("http"), far, Texts.router("api", #"{"Destination": {"Service": "far"}}"#)],
      Texts.splitter("web", #"{"Weight": 100, "Service": "api"}"#)),
    Case(
      [export("web"), Texts.proxyDefaults("http"), far],
      Texts.router("web", #"{"Destination": {"Service": "far"}}"#),
      "peer exported service \"web\" contains cross-datacenter resolver redirect"),
  ]

  @Test(arguments: exports)
  func whatIsExportedHasToBeHere(_ example: Case) throws { try expectOutcome(example) }

  // MARK: Gateways and intentions

  static func ingress(_ `protocol`: String, _ service: String) -> String {
    #"{"Kind": "ingress-gateway", "Name": "gw", "Listeners": [{"Port": 80, "Protocol": "\#(`protocol`)", "#
      + #""Services": [{"Name": "\#(service)"}]}]}"#
  }
  static let permissions =
    #"{"Kind": "service-intentions", "Name": "api", "Sources": [{"Name": "web", "#
    + #""Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/v1/"}}]}]}"#
  static let tokens =
    #"{"Kind": "service-intentions", "Name": "web", "JWT": {"Providers": [{"Name": "okta"}, {"Name": "absent"}]}, "#
    + #""Sources": [{"Name": "*", "Permissions": [{"JWT": {"Providers": [{"Name": "gone"}, {"Name": "absent"}]}}]}]}"#
  static let provider = #"{"Kind": "jwt-provider", "Name": "okta"}"#
  static let permissive = #"{"Kind": "service-defaults", "Name": "web", "MutualTLSMode": "permissive"}"#
  static let mismatch = "service \"api\" has protocol \"tcp\", which is incompatible with L7 intentions permissions"
  static func listens(_ is: String, _ expected: String) -> String {
    "service \"a\" has protocol \"\(`is`)\", which does not match defined listener protocol \"\(expected)\""
  }

  static let others: [Case] = [
    Case([Texts.proxyDefaults("http")], ingress("grpc", "a"), listens("http", "grpc")),
    Case([Texts.proxyDefaults("http")], ingress("", "a"), listens("http", "tcp")),
    Case([Texts.proxyDefaults("http")], ingress("http", "a")),
    // A port without a protocol of requests takes any service, but neither routes nor splits.
    Case([ingress("tcp", "a")], Texts.defaults("a", "http")),
    Case(
      [ingress("tcp", "a"), Texts.defaults("a", "http")], Texts.router("a", ""), listens("http", "tcp")),
    Case([], ingress("http", "*")),
    Case([Texts.defaults("a", "http"), ingress("http", "a")], "service-defaults/a", listens("tcp", "http")),
    Case([Texts.proxyDefaults("http"), ingress("http", "a")], "proxy-defaults/global", listens("tcp", "http")),
    Case(
      [ingress("tcp", "a")], #"{"Kind": "terminating-gateway", "Name": "gw"}"#,
      "cannot create a \"terminating-gateway\" config entry with name \"gw\", "
        + "a \"ingress-gateway\" config entry with that name already exists"),
    Case(
      [#"{"Kind": "terminating-gateway", "Name": "gw"}"#], ingress("tcp", "a"),
      "cannot create a \"ingress-gateway\" config entry with name \"gw\", "
        + "a \"terminating-gateway\" config entry with that name already exists"),
    Case([], permissions, mismatch),
    Case([Texts.defaults("api", "http")], permissions),
    Case([Texts.defaults("api", "http"), permissions], "service-defaults/api", mismatch),
    Case([Texts.defaults("api", "http"), permissions], Texts.defaults("api", "tcp"), mismatch),
    Case([Texts.proxyDefaults("http"), permissions], "proxy-defaults/global", mismatch),
    Case(
      [Texts.defaults("web", "http"), provider], tokens,
      "2 errors occurred:\n\t* Referenced JWT Provider does not exist. Provider Name: absent\n"
        + "\t* Referenced JWT Provider does not exist. Provider Name: gone\n\n"),
    Case(
      [provider, tokens], "jwt-provider/okta",
      "cannot delete jwt provider config entry referenced by an intention. Provider name: okta, intention name: web"),
    Case([provider], "jwt-provider/okta"),
    Case(
      [], permissive,
      "cannot set MutualTLSMode=permissive because AllowEnablingPermissiveMutualTLS=false in the mesh config entry"),
    Case([#"{"Kind": "mesh", "AllowEnablingPermissiveMutualTLS": true}"#], permissive),
  ]

  @Test(arguments: others)
  func gatewaysAndIntentionsGetTheProtocolThatTheyNeed(_ example: Case) throws { try expectOutcome(example) }
}
