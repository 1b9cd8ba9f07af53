import Mesh
import Model
import Testing

/// What routes and certificates of API gateways make of each other, with the texts of the reference.
@Suite struct APIGatewayBindingTests {
  static let now = Timestamp(unixSeconds: 1_700_000_000)
  static let gateway =
    #"{"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "web", "Port": 8443, "Protocol": "http"}, "#
    + #"{"Name": "raw", "Port": 9443, "Protocol": "tcp"}]}"#

  static func httpRoute(_ name: String, _ services: String..., section: String = "", gateway: String = "gw") -> String {
    let list = services.map { #"{"Name": "\#($0)"}"# }.joined(separator: ", ")
    return #"{"Kind": "http-route", "Name": "\#(name)", "Parents": [{"Kind": "api-gateway", "Name": "\#(gateway)", "#
      + #""SectionName": "\#(section)"}], "Rules": [{"Services": [\#(list)]}]}"#
  }
  static func tcpRoute(_ name: String, section: String) -> String {
    #"{"Kind": "tcp-route", "Name": "\#(name)", "Parents": [{"Kind": "api-gateway", "Name": "gw", "#
      + #""SectionName": "\#(section)"}], "Services": [{"Name": "db"}]}"#
  }

  /// Carries out what binding asks for.
  ///
  /// - Returns: the changes, in short.
  @discardableResult
  static func settle(_ entries: inout StoredEntries, at now: Timestamp = now) -> [String] {
    let changes = APIGatewayBinding.changes(in: entries, datacenter: "dc1", now: now)
    for change in changes { entries.apply(change) }
    return changes.map { change in
      if case .delete = change {
        "delete \(change.kind.rawValue)/\(change.name)"
      } else {
        "\(change.kind.rawValue)/\(change.name)"
      }
    }
  }

  static func settled(_ texts: [String]) throws -> StoredEntries {
    var entries = try StoredEntries(texts)
    settle(&entries)
    #expect(APIGatewayBinding.changes(in: entries, datacenter: "dc1", now: now).isEmpty)
    return entries
  }

  static func conditions(_ status: GatewayStatus?) -> [String] {
    (status?.conditions ?? []).map { condition in
      let section = condition.resource.map { $0.sectionName.isEmpty ? "" : " \($0.sectionName)" } ?? ""
      return "\(condition.type)\(section) \(condition.status) \(condition.reason): \(condition.message)"
    }
  }

  static func ofGateway(_ entries: StoredEntries) -> [String] {
    conditions(entries.entry(APIGateway.self, "gw")?.status)
  }
  static func ofRoute(_ entries: StoredEntries) -> [String] {
    conditions(entries.entry(HTTPRoute.self, "r")?.status)
  }

  @Test func aGatewayWithoutRoutesIsBoundEmpty() throws {
    let entries = try Self.settled([Self.gateway])
    #expect(
      Self.ofGateway(entries) == [
        "Accepted True Accepted: gateway is valid",
        "Conflicted raw False NoConflict: listener has no route conflicts",
        "Conflicted web False NoConflict: listener has no route conflicts",
        "ResolvedRefs raw True ResolvedRefs: resolved refs", "ResolvedRefs web True ResolvedRefs: resolved refs",
      ])
    let bound = try #require(entries.entry(BoundAPIGateway.self, "gw"))
    #expect(bound.listeners.map(\.name) == ["web", "raw"])
    #expect(bound.listeners.allSatisfy { $0.routes.isEmpty && $0.certificates.isEmpty })
  }

  struct RouteCase: CustomTestStringConvertible, Sendable {
    let route: String
    let conditions: [String]
    var testDescription: String { conditions.joined(separator: ", ") }
  }
  static let accepted = "Accepted True Accepted: route is valid"
  static let mismatch =
    "Accepted False InvalidDiscoveryChain: route protocol does not match targeted service protocol"

  static let routeCases = [
    RouteCase(
      route: httpRoute("r", "web", section: "web"),
      conditions: [accepted, "Bound web True Bound: successfully bound route"]),
    RouteCase(route: httpRoute("r", "web"), conditions: [accepted, "Bound True Bound: successfully bound route"]),
    RouteCase(
      route: httpRoute("r", "web", "db", section: "web"),
      conditions: [
        mismatch, "Bound web False FailedToBind: failed to bind route to gateway gw: route has not been accepted",
      ]),
    RouteCase(
      route: httpRoute("r", section: "web"),
      conditions: [
        "Accepted False NoUpstreamServicesTargeted: route must target at least one upstream service",
        "Bound web False FailedToBind: failed to bind route to gateway gw: route has not been accepted",
      ]),
    RouteCase(
      route: httpRoute("r", "calls", section: "web"),
      conditions: [
        mismatch, "Bound web False FailedToBind: failed to bind route to gateway gw: route has not been accepted",
      ]),
    RouteCase(
      route: httpRoute("r", "web", gateway: "nowhere"),
      conditions: [accepted, "Bound False GatewayNotFound: gateway was not found"]),
    RouteCase(
      route: httpRoute("r", "db", gateway: "nowhere"),
      conditions: [mismatch, "Bound False GatewayNotFound: gateway was not found"]),
    RouteCase(
      route: tcpRoute("t", section: "raw"),
      conditions: [accepted, "Bound raw True Bound: successfully bound route"]),
    RouteCase(
      route: tcpRoute("t2", section: "web"),
      conditions: [
        accepted,
        "Bound web False FailedToBind: failed to bind route t2 to gateway gw: listener web is not a tcp listener",
      ]),
    RouteCase(
      route: httpRoute("r", "web", section: "absent"),
      conditions: [
        accepted,
        "Bound absent False FailedToBind: failed to bind route r to gateway gw: no valid listener has name 'absent' "
          + "and uses http protocol",
      ]),
  ]

  @Test(arguments: routeCases)
  func aRouteSaysWhetherItIsBound(_ example: RouteCase) throws {
    let entries = try Self.settled([
      Self.gateway, Texts.defaults("web", "http"), Texts.defaults("calls", "grpc"), example.route,
    ])
    let status = entries.entries(HTTPRoute.self).first?.status ?? entries.entries(TCPRoute.self).first?.status
    #expect(Self.conditions(status) == example.conditions)
  }

  @Test func routesAreListedWithTheServicesThatTheyLeadTo() throws {
    var entries = try Self.settled([
      Self.gateway, Texts.defaults("web", "http"), Texts.defaults("other", "http"),
      Self.httpRoute("r", "web", "other"), Self.tcpRoute("t", section: "raw"),
    ])
    func text() -> String? { entries.entry(BoundAPIGateway.self, "gw")?.listeners.json }
    let routes = #"[{"Kind":"http-route","Name":"r","SectionName":""}]"#
    let tcpRoutes = #"[{"Kind":"tcp-route","Name":"t","SectionName":""}]"#
    #expect(
      text() == #"[{"Name":"web","Routes":\#(routes),"Certificates":null},"#
        + #"{"Name":"raw","Routes":\#(tcpRoutes),"Certificates":null}]"#)
    func services() -> [String]? { entries.entry(BoundAPIGateway.self, "gw")?.services.routes.map(\.service) }
    #expect(services() == ["db", "other", "web"])
    // A route that is still bound keeps its services.
    entries.put(try StoredEntries.parse(Self.httpRoute("r", "web")))
    Self.settle(&entries)
    #expect(services() == ["db", "other", "web"])
    entries.apply(.delete(.httpRoute, name: "r"))
    #expect(Self.settle(&entries) == ["bound-api-gateway/gw"])
    #expect(services() == ["db"])
  }

  @Test func listenersNeedTheirCertificates() throws {
    let secure =
      #"{"Kind": "api-gateway", "Name": "gw", "Listeners": [{"Name": "s", "Port": 1, "Protocol": "http", "#
      + #""TLS": {"Certificates": [{"Kind": "inline-certificate", "Name": "cert"}]}}]}"#
    // Another kind of certificate does not count.
    var entries = try Self.settled([secure, #"{"Kind": "file-system-certificate", "Name": "cert"}"#])
    #expect(
      Self.ofGateway(entries) == [
        "Accepted False InvalidCertificates: gateway references invalid certificates",
        "Conflicted s False NoConflict: listener has no route conflicts",
        "ResolvedRefs s False InvalidCertificateRef: certificate \"cert\" not found",
      ])
    #expect(entries.entry(BoundAPIGateway.self, "gw")?.listeners.first?.certificates.isEmpty == true)
    entries.put(ConfigEntry(InlineCertificate(name: "cert")))
    #expect(Self.settle(&entries) == ["api-gateway/gw", "bound-api-gateway/gw"])
    #expect(entries.entry(BoundAPIGateway.self, "gw")?.listeners.first?.certificates.map(\.name) == ["cert"])
    #expect(
      Self.ofGateway(entries).first
        == "Accepted True Accepted: gateway is valid")
  }

  @Test func oneRouteOnlyTakesTheConnectionsOfAPort() throws {
    let entries = try Self.settled([
      Self.gateway, Self.tcpRoute("a", section: "raw"), Self.tcpRoute("b", section: "raw"),
    ])
    #expect(
      Self.ofGateway(entries).contains(
        "Conflicted raw True RouteConflict: TCP-based listeners currently only support binding a single route"))
  }

  @Test func conditionsKeepTheTimeWhenTheyCameAbout() throws {
    var entries = try Self.settled([Self.gateway, Self.httpRoute("r", "web", section: "web")])
    let later = Timestamp(unixSeconds: 1_700_000_100)
    func times() -> [Timestamp?]? {
      entries.entry(HTTPRoute.self, "r")?.status.conditions.map(\.lastTransitionTime)
    }
    #expect(times() == [Self.now, Self.now])
    entries.put(try StoredEntries.parse(Texts.defaults("web", "http")))
    #expect(Self.settle(&entries, at: later) == ["bound-api-gateway/gw", "http-route/r"])
    #expect(times() == [later, later])
    // Written again by its user.
    let rewritten = try StoredEntries.parse(Self.httpRoute("r", "web", section: "web"))
    let former = try #require(entries.entry(HTTPRoute.self, "r"))
    entries.put(rewritten.keepingStatus(of: ConfigEntry(former)))
    #expect(Self.settle(&entries).isEmpty)
    #expect(times() == [later, later])
  }

  @Test func whatWasBoundToAGatewayThatIsGoneIsUnbound() throws {
    var entries = try Self.settled([Self.gateway, Texts.defaults("web", "http"), Self.httpRoute("r", "web")])
    entries.apply(.delete(.apiGateway, name: "gw"))
    #expect(Self.settle(&entries) == ["delete bound-api-gateway/gw", "http-route/r"])
    #expect(
      Self.ofRoute(entries)
        == [Self.accepted, "Bound False GatewayNotFound: gateway was not found"])
  }
}

extension [BoundAPIGatewayListener] {
  fileprivate var json: String {
    var writer = JSONWriter()
    encodeJSON(&writer, [])
    return String(decoding: writer.finish(), as: UTF8.self)
  }
}
