import AccessControl
import Checks
import Model
import Testing

@testable import LocalAgent

@Suite struct ServiceRegistrationTests {
  private func registration(_ json: String) throws -> ServiceRegistration {
    try ServiceRegistration(ServiceDefinition(definition: json), node: "n1")
  }

  @Test("the id is the name, weights are 1, empty metadata is none")
  func defaults() throws {
    let service = try registration(#"{"Name": "minimal"}"#).service
    #expect(service.id == "minimal")
    #expect(service.weights == Weights())
    #expect(service.meta.isNil)
    #expect(try registration(#"{"Name": "minimal", "Meta": {}}"#).service.meta.isNil)
    #expect(service.taggedAddresses.isEmpty)
  }

  @Test("short and long keys mean the same")
  func keys() throws {
    let long = try registration(
      #"{"Name": "a", "EnableTagOverride": true, "TaggedAddresses": {"wan": {"Address": "192.0.2.1", "Port": 1}}}"#)
    let short = try registration(
      #"{"name": "a", "enable_tag_override": true, "tagged_addresses": {"wan": {"address": "192.0.2.1", "port": 1}}}"#)
    #expect(long == short)
  }

  @Test(
    "an IP address is also the tagged address of its family, unless that is given",
    arguments: [
      ("192.0.2.4", ["lan_ipv4", "wan_ipv4"]), ("2001:db8::1", ["lan_ipv6", "wan_ipv6"]), ("db.example", []), ("", []),
    ])
  func taggedAddresses(address: String, names: [String]) throws {
    let service = try registration(#"{"Name": "a", "Port": 7, "Address": "\#(address)"}"#).service
    #expect(service.taggedAddresses.keys.sorted() == names)
    #expect(service.taggedAddresses.values.allSatisfy { $0 == ServiceAddress(address: address, port: 7) })
    let given = try registration(
      #"{"Name": "a", "Address": "192.0.2.4", "TaggedAddresses": {"lan_ipv4": {"Address": "192.0.2.9", "Port": 1}}}"#)
    #expect(given.service.taggedAddresses["lan_ipv4"]?.address == "192.0.2.9")
  }

  @Test("checks get ids, names and kinds")
  func checks() throws {
    let single = try registration(
      #"{"ID": "redis1", "Name": "redis", "Tags": ["t"], "Check": {"TTL": "10m", "Notes": "beat"}}"#)
    let check = try #require(single.checks.first?.check)
    #expect(single.checks.count == 1)
    #expect(check.checkID == "service:redis1")
    #expect(check.name == "Service 'redis' check")
    #expect(check.status == "critical")
    #expect(check.notes == "beat")
    #expect(check.type == "ttl")
    #expect(check.interval == "" && check.timeout == "")
    #expect(check.serviceID == "redis1" && check.serviceName == "redis" && check.serviceTags == ["t"])
    let many = try registration(
      #"{"Name": "web", "Check": {"TTL": "1m"}, "Checks": [{"CheckID": "own", "TTL": "1m", "Status": "passing"},"#
        + #" {"HTTP": "http://127.0.0.1/", "Interval": "10s", "Timeout": "1s", "Name": "named"}]}"#)
    #expect(many.checks.map(\.check.checkID) == ["service:web:1", "own", "service:web:3"])
    #expect(many.checks.map(\.definition.checkID) == ["service:web:1", "own", "service:web:3"])
    #expect(many.checks.map(\.check.status) == ["critical", "passing", "critical"])
    #expect(many.checks.map(\.check.type) == ["ttl", "ttl", "http"])
    #expect(many.checks[2].check.name == "named")
    #expect(many.checks[2].check.interval == "10s" && many.checks[2].check.timeout == "1s")
  }

  @Test(
    "refusals say what is wrong",
    arguments: [
      (#"{}"#, "Missing service name"),
      (#"{"ID": "only"}"#, "Missing service name"),
      (#"{"Name": "x", "Address": "0.0.0.0"}"#, "Invalid service address"),
      (#"{"Name": "x", "Address": "[::]"}"#, "Invalid service address"),
      (#"{"Name": "x", "Weights": {"Passing": 0, "Warning": 1}}"#, "Invalid Weights: Passing must be greater than 0"),
      (
        #"{"Name": "x", "Weights": {"Passing": 1, "Warning": -1}}"#,
        "Invalid Weights: Warning must be greater or equal than 0"
      ),
      (
        #"{"Name": "x", "Weights": {"Passing": 70000, "Warning": 1}}"#,
        "Invalid Weights: DNS Weight must be between 0 and 65535"
      ),
      (
        #"{"Name": "x", "Meta": {"a.b": "v"}}"#,
        "Invalid Service Meta: Couldn't load metadata pair ('a.b', 'v'): Key contains invalid characters"
      ),
      (
        #"{"Name": "x", "Meta": {"": "v"}}"#,
        "Invalid Service Meta: Couldn't load metadata pair ('', 'v'): Key cannot be blank"
      ),
      (
        #"{"Name": "x", "Meta": {"consul-thing": "v"}}"#,
        "Invalid Service Meta: Couldn't load metadata pair ('consul-thing', 'v'): "
          + "Key prefix 'consul-' is reserved for internal use"
      ),
      (
        #"{"Name": "x", "Check": {"TTL": "10s", "Interval": "5s"}}"#,
        "Invalid check: Interval and TTL cannot both be specified"
      ),
      (#"{"Name": "x", "Checks": [{}]}"#, "Invalid check: TTL must be > 0 for TTL checks"),
      (
        #"{"Name": "x", "Check": {"TTL": "10s", "Status": "bogus"}}"#,
        "Status for checks must 'passing', 'warning', 'critical'"
      ),
      (
        #"{"Kind": "connect-proxy", "Name": "p"}"#,
        "Validation failed: 2 errors occurred:\n\t* Port or SocketPath must be set for a connect-proxy\n"
          + "\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n\n"
      ),
      (
        #"{"Name": "bad", "Connect": {"SidecarService": {"ID": "own-id"}}}"#,
        "Validation failed: 1 error occurred:\n"
          + "\t* A SidecarService cannot specify an ID as this is managed by the agent\n\n"
      ),
      (
        #"{"Name": "bad", "Connect": {"SidecarService": {"Kind": "mesh-gateway"}}}"#,
        "Failed Validation: 4 errors occurred:\n\t* Port must be non-zero for a mesh-gateway\n"
          + "\t* The Proxy.DestinationServiceName configuration is invalid for a mesh-gateway\n"
          + "\t* The Proxy.DestinationServiceID configuration is invalid for a mesh-gateway\n"
          + "\t* The Proxy.LocalServiceAddress configuration is invalid for a mesh-gateway\n\n"
      ),
    ])
  func refusals(json: String, text: String) {
    let error = #expect(throws: LocalAgentError.self) { try registration(json) }
    #expect(error?.description == text)
    #expect(error?.category == .invalid)
  }

  @Test(
    "odd but harmless input is taken",
    arguments: [
      #"{"Name": "   "}"#, #"{"Name": "x", "Port": 65536}"#, #"{"Name": "x", "Port": -1}"#,
      #"{"Name": "x", "Check": {}}"#,
      #"{"Name": "x", "SocketPath": "/a", "Port": 1}"#, #"{"Name": "x", "Kind": "bogus"}"#,
      #"{"Name": "x", "TaggedAddresses": {"lan": {"Address": "0.0.0.0", "Port": 1}}}"#,
    ])
  func accepted(json: String) throws {
    #expect(try registration(json).checks.isEmpty)
  }

  @Test("metadata has limits")
  func metadataLimits() throws {
    func problem(_ meta: StringMap, kind: String = "") -> String? { MetadataRules.problem(with: meta, kind: kind) }
    let many = StringMap((0..<65).map { (key: "k\($0)", value: "v") })
    #expect(problem(many) == "Node metadata cannot contain more than 64 key/value pairs")
    #expect(problem(StringMap((0..<64).map { (key: "k\($0)", value: "v") })) == nil)
    let key = String(repeating: "k", count: 129)
    #expect(
      problem([key: "v"])
        == "Couldn't load metadata pair ('\(key)', 'v'): Key is too long (limit: 128 characters)")
    let value = String(repeating: "v", count: 513)
    #expect(
      problem(["k": value])
        == "Couldn't load metadata pair ('k', '\(value)'): Value is too long (limit: 512 characters)")
    #expect(problem(["k": String(repeating: "v", count: 512)]) == nil)
    #expect(problem(["consul-wan-federation": "1"], kind: ServiceKind.meshGateway) == nil)
    #expect(problem(["consul-wan-federation": "1"]) != nil)
  }

  @Test("names that DNS cannot carry are pointed out")
  func warnings() throws {
    #expect(try registration(#"{"Name": "fine-1", "Tags": ["v1"]}"#).warnings.isEmpty)
    #expect(try registration(#"{"Name": "with.dot", "Tags": ["tag_one", "ok"]}"#).warnings.count == 2)
    let long = String(repeating: "a", count: 64)
    #expect(try registration(#"{"Name": "\#(long)"}"#).warnings.first?.contains("too long") == true)
  }

  @Test("upstreams name services and reach other datacenters as their proxy does")
  func upstreams() throws {
    let proxy = try registration(
      #"{"Kind": "connect-proxy", "Name": "p", "Port": 1, "Proxy": {"DestinationServiceName": "web","#
        + #" "MeshGateway": {"Mode": "local"}, "Upstreams": [{"DestinationName": "a", "LocalBindPort": 1},"#
        + #" {"DestinationType": "prepared_query", "DestinationName": "q", "LocalBindPort": 2},"#
        + #" {"DestinationName": "b", "LocalBindPort": 3, "MeshGateway": {"Mode": "remote"}}]}}"#
    ).service.proxy.value
    #expect(proxy.upstreams.map(\.destinationType) == ["service", "prepared_query", "service"])
    #expect(proxy.upstreams.map(\.meshGateway.mode) == ["local", "", "remote"])
  }

  @Test("the proxy of an old release is kept apart from the row of the catalog")
  func managedProxy() throws {
    let registration = try registration(
      #"{"name": "s", "port": 1, "connect": {"proxy": {"config": {"a": 1, "upstreams": [{"destination_name": "t","#
        + #" "local_bind_port": 38082}]}}}}"#)
    #expect(registration.managedProxy?.config.members.count == 1)
    #expect(registration.managedProxy?.upstreams.map(\.destinationName) == ["t"])
    #expect(registration.managedProxy?.upstreams.map(\.localBindPort) == [38082])
    #expect(registration.service.connect.isEmptyValue)
    let plain = try self.registration(#"{"name": "s", "connect": {"proxy": {}}}"#)
    #expect(plain.managedProxy == ManagedProxy())
    let error = #expect(throws: LocalAgentError.self) {
      try self.registration(#"{"name": "s", "connect": {"proxy": {"config": {"upstreams": [7]}}}}"#)
    }
    #expect(error?.description.contains("connect.proxy.config.upstreams") == true)
  }

  @Test("rights: the service, what it replaces, and what its proxies stand for")
  func permissions() throws {
    let web = try registration(#"{"Name": "web", "Connect": {"SidecarService": {"Name": "side"}}}"#)
    #expect(
      web.permissions(replacing: .make("web", name: "old")) == [
        .serviceWrite("web"), .serviceWrite("old"), .serviceWrite("side"), .serviceWrite("web"),
      ])
    let proxy = try registration(
      #"{"Kind": "connect-proxy", "Name": "p", "Port": 1, "Proxy": {"DestinationServiceName": "db"}}"#)
    #expect(proxy.permissions(replacing: nil) == [.serviceWrite("p"), .serviceWrite("db")])
  }
}

@Suite struct SidecarRegistrationTests {
  private func sidecar(_ json: String) throws -> SidecarRegistration {
    try #require(try ServiceRegistration(ServiceDefinition(definition: json), node: "n1").sidecar)
  }

  @Test("a sidecar takes from its service what it does not say itself")
  func defaults() throws {
    var sidecar = try sidecar(
      #"{"ID": "api-7", "Name": "api", "Port": 8080, "Tags": ["v1"], "Meta": {"k": "v"}, "Address": "10.0.0.5","#
        + #" "Token": "t", "Connect": {"SidecarService": {}}}"#)
    #expect(sidecar.service.id == "api-7-sidecar-proxy")
    #expect(sidecar.service.service == "api-sidecar-proxy")
    #expect(sidecar.service.kind == ServiceKind.connectProxy)
    #expect(sidecar.service.tags == ["v1"] && sidecar.service.meta == ["k": "v"])
    #expect(sidecar.service.locallyRegisteredAsSidecar)
    #expect(sidecar.token == "t")
    let proxy = sidecar.service.proxy.value
    #expect(proxy.destinationServiceName == "api" && proxy.destinationServiceID == "api-7")
    #expect(proxy.localServiceAddress == "127.0.0.1" && proxy.localServicePort == 8080)
    #expect(sidecar.needsPort)
    sidecar.listen(on: 21000)
    #expect(sidecar.service.taggedAddresses["lan_ipv4"] == ServiceAddress(address: "10.0.0.5", port: 21000))
    #expect(
      sidecar.checks.map(\.check.checkID) == ["service:api-7-sidecar-proxy:1", "service:api-7-sidecar-proxy:2"])
    #expect(sidecar.checks.map(\.check.name) == ["Connect Sidecar Listening", "Connect Sidecar Aliasing api-7"])
    #expect(sidecar.checks.map(\.check.type) == ["tcp", "alias"])
    #expect(sidecar.checks[0].definition.tcp == "10.0.0.5:21000")
    #expect(sidecar.checks[0].check.interval == "10s" && sidecar.checks[1].check.interval == "")
    #expect(sidecar.checks[1].definition.aliasService == "api-7")
  }

  @Test("without an address the proxy is expected on the local host")
  func listensLocally() throws {
    var sidecar = try sidecar(#"{"Name": "web", "Connect": {"SidecarService": {}}}"#)
    sidecar.listen(on: 21000)
    #expect(sidecar.checks[0].definition.tcp == "127.0.0.1:21000")
  }

  @Test("what the sidecar says itself counts")
  func own() throws {
    let sidecar = try sidecar(
      #"{"Name": "db", "Port": 5432, "Tags": ["a"], "Connect": {"SidecarService": {"Name": "db-proxy", "Port": 20555,"#
        + #" "Tags": ["own"], "Meta": {"own": "1"}, "Check": {"TTL": "10m", "Status": "passing"},"#
        + #" "Proxy": {"Upstreams": [{"DestinationName": "cache", "LocalBindPort": 6379}]}}}}"#)
    #expect(sidecar.service.id == "db-sidecar-proxy" && sidecar.service.service == "db-proxy")
    #expect(sidecar.service.port == 20555 && !sidecar.needsPort)
    #expect(sidecar.service.tags == ["own"])
    #expect(sidecar.service.proxy.value.upstreams.first?.destinationType == "service")
    #expect(sidecar.checks.map(\.check.checkID) == ["service:db-sidecar-proxy"])
    #expect(sidecar.checks.map(\.check.status) == ["passing"])
  }
}

@Suite struct CheckRegistrationTests {
  private func registration(_ json: String, origin: CheckOrigin = .api) throws -> CheckRegistration {
    try CheckRegistration(CheckDefinition(definition: json), origin: origin, node: "n1")
  }

  @Test("the id is the name unless it is given; lengths of time are always shown")
  func fields() throws {
    let check = try registration(#"{"Name": "Only Name", "TTL": "10m"}"#).check
    #expect(check.checkID == "Only Name" && check.name == "Only Name" && check.status == "critical")
    #expect(check.type == "ttl" && check.interval == "0s" && check.timeout == "0s")
    let http = try registration(
      #"{"id": "h", "name": "n", "http": "http://127.0.0.1/", "interval": "10m", "service_id": "web1", "notes": "x"}"#
    ).check
    #expect(http.checkID == "h" && http.serviceID == "web1" && http.interval == "10m0s" && http.type == "http")
    #expect(http.notes == "x")
  }

  @Test("checks of configuration files do not state their kind")
  func fromFile() throws {
    #expect(try registration(#"{"name": "a", "ttl": "1m"}"#, origin: .configurationFile).check.type == "")
  }

  @Test(
    "refusals say what is wrong",
    arguments: [
      (#"{}"#, "Missing check name"), (#"{"ID": "x", "TTL": "10s"}"#, "Missing check name"),
      (#"{"Name": "x"}"#, "Invalid check: TTL must be > 0 for TTL checks"),
      (#"{"Name": "x", "TTL": "-5s"}"#, "Invalid check: TTL must be > 0 for TTL checks"),
      (#"{"Name": "x", "TTL": "10s", "Status": "sideways"}"#, "Bad check status"),
      (
        #"{"Name": "x", "TCP": "127.0.0.1:1"}"#,
        "Invalid check: Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"
      ),
      (#"{"Name": "y", "TTL": "10s", "OutputMaxSize": -1}"#, "Invalid check: MaxOutputMaxSize must be positive"),
    ])
  func refusals(json: String, text: String) {
    let error = #expect(throws: LocalAgentError.self) { try registration(json) }
    #expect(error?.description == text)
  }
}
