import Mesh
import Model
import Testing

@testable import State

/// Valid entries of all kinds that go together, in an order in which they can be written.
enum SampleEntries {
  static let texts: [String] = [
    #"{"Kind": "mesh", "AllowEnablingPermissiveMutualTLS": true, "Meta": {"a": "b"}}"#,
    #"""
    {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http", "list": [1, 2.5, "x"],
    "nested": {"deep": {"er": true}}}, "AccessLogs": {"Enabled": true}}
    """#,
    #"{"Kind": "service-defaults", "Name": "web", "Protocol": "http", "Meta": {"team": "shop"}}"#,
    #"{"Kind": "service-defaults", "Name": "db", "Protocol": "tcp"}"#,
    #"{"Kind": "service-resolver", "Name": "web", "DefaultSubset": "v1", "Subsets": {"v1": {}, "v2": {}}}"#,
    #"""
    {"Kind": "service-splitter", "Name": "web", "Splits": [{"Weight": 90, "ServiceSubset": "v1"},
    {"Weight": 10, "ServiceSubset": "v2"}]}
    """#,
    #"""
    {"Kind": "service-router", "Name": "web", "Routes": [{"Match": {"HTTP": {"PathPrefix": "/v2"}},
    "Destination": {"ServiceSubset": "v2", "RequestTimeout": "3s"}}]}
    """#,
    #"{"Kind": "jwt-provider", "Name": "okta", "JSONWebKeySet": {"Local": {"JWKS": "e30="}}}"#,
    #"""
    {"Kind": "service-intentions", "Name": "web", "JWT": {"Providers": [{"Name": "okta"}]}, "Sources": [
    {"Name": "api", "Action": "allow"}, {"Name": "*", "Permissions": [{"Action": "deny",
    "HTTP": {"PathPrefix": "/admin"}}]}]}
    """#,
    #"""
    {"Kind": "ingress-gateway", "Name": "ingress", "Listeners": [{"Port": 8080, "Protocol": "http",
    "Services": [{"Name": "web", "Hosts": ["a.test"]}]}]}
    """#,
    #"{"Kind": "terminating-gateway", "Name": "term", "Services": [{"Name": "legacy"}]}"#,
    #"{"Kind": "exported-services", "Name": "default", "Services": [{"Name": "db", "Consumers": [{"Peer": "east"}]}]}"#,
    #"{"Kind": "file-system-certificate", "Name": "files", "Certificate": "/c.pem", "PrivateKey": "/k.pem"}"#,
    #"{"Kind": "inline-certificate", "Name": "inline", "Certificate": "CERT", "PrivateKey": "KEY"}"#,
    #"""
    {"Kind": "api-gateway", "Name": "gateway", "Listeners": [{"Name": "l1", "Port": 8443, "Protocol": "http"},
    {"Name": "l2", "Port": 9443, "Protocol": "tcp"}]}
    """#,
    #"""
    {"Kind": "http-route", "Name": "http", "Parents": [{"Kind": "api-gateway", "Name": "gateway",
    "SectionName": "l1"}], "Rules": [{"Services": [{"Name": "web"}]}]}
    """#,
    #"""
    {"Kind": "tcp-route", "Name": "tcp", "Parents": [{"Kind": "api-gateway", "Name": "gateway",
    "SectionName": "l2"}], "Services": [{"Name": "db"}]}
    """#,
  ]

  static func entry(_ text: String) throws -> ConfigEntry {
    try ConfigEntry(body: try Dynamic(json: Array(text.utf8))).prepared()
  }

  /// With those that users cannot write.
  static func all() throws -> [ConfigEntry] {
    var bound = BoundAPIGateway(name: "gateway")
    bound.common.meta["a"] = "b"
    return try texts.map { text in
      do { return try entry(text) } catch { Issue.record("\(error) \(text)"); throw error }
    } + [ConfigEntry(bound), ConfigEntry(SamenessGroup(name: "group"))]
  }
}

/// An entry of the kind that has the fewest rules.
func defaults(_ name: String, _ protocol: String = "", index: UInt64 = 0) -> ConfigEntry {
  var record = ServiceDefaults(name: name)
  record.protocol = `protocol`
  record.common.modifyIndex = index
  return ConfigEntry(record)
}

func splitter(_ name: String) -> ConfigEntry {
  var record = ServiceSplitter(name: name)
  var split = ServiceSplit()
  split.weight = 100
  record.splits = [split]
  return ConfigEntry(record)
}

func intentionSource(_ name: String, _ action: String = "allow", peer: String = "", id: String = "") -> SourceIntention
{
  var source = SourceIntention()
  (source.name, source.action, source.peer, source.legacyID) = (name, action, peer, id)
  return source
}

extension Catalog {
  @discardableResult
  func write(_ entry: ConfigEntry, _ op: ConfigEntryOp = .upsert) -> CommandResult {
    var request = ConfigEntryRequest(op, entry)
    request.datacenter = "dc1"
    return apply(.configEntry(request))
  }

  /// Writes the entry that the JSON says; it has to be accepted.
  func write(_ text: String) throws {
    #expect(try write(SampleEntries.entry(text)) == .bool(true), "\(text)")
  }

  @discardableResult
  func delete(_ kind: ConfigEntryKind, _ name: String) -> CommandResult {
    var record = kind.type.init()
    record.name = name
    return write(ConfigEntry(record), .delete)
  }

  @discardableResult
  func intention(
    _ op: IntentionOp, _ source: String = "", _ destination: String = "", id: String = "", value: SourceIntention? = nil
  ) -> CommandResult {
    var request = IntentionRequest()
    (request.datacenter, request.op) = ("dc1", op.rawValue)
    var mutation = IntentionMutation()
    (mutation.id, mutation.value) = (id, value)
    (mutation.source, mutation.destination) = (ServiceName(source), ServiceName(destination))
    request.mutation = mutation
    return apply(.intention(request))
  }

  func configEntry(_ kind: ConfigEntryKind, _ name: String) -> ConfigEntry? { state.configEntry(kind, name).value }

  /// Every entry, in the order of the table.
  var entries: [ConfigEntry] { state.tables.configEntries.rows.values.map(\.entry) }
}
