import Mesh
import Model
import Testing

/// What holds for bound gateways after any changes.
@Suite struct APIGatewayPropertyTests {
  typealias Dice = ChainPropertyTests.Dice

  static func change(_ dice: inout Dice) -> ConfigEntryChange {
    let kinds: [ConfigEntryKind] = [.apiGateway, .httpRoute, .tcpRoute, .inlineCertificate, .serviceDefaults]
    let kind = kinds.randomElement(using: &dice) ?? .apiGateway
    let name = dice.service()
    if dice.chance(20) { return .delete(kind, name: name) }
    switch kind {
    case .apiGateway:
      var entry = APIGateway(name: name)
      for listener in ["l1", "l2", "l3"] where dice.chance(70) {
        entry.listeners.append(self.listener(listener, &dice))
      }
      return .put(ConfigEntry(entry))
    case .httpRoute:
      var rule = HTTPRouteRule()
      for _ in 0..<Int.random(in: 0..<3, using: &dice) {
        var service = HTTPService()
        service.name = dice.service()
        rule.services.append(service)
      }
      var entry = HTTPRoute(name: name)
      entry.rules = [rule]
      entry.parents = parents(&dice)
      return .put(ConfigEntry(entry))
    case .tcpRoute:
      var service = TCPService()
      service.name = dice.service()
      var entry = TCPRoute(name: name)
      entry.services = [service]
      entry.parents = parents(&dice)
      return .put(ConfigEntry(entry))
    case .inlineCertificate: return .put(ConfigEntry(InlineCertificate(name: name)))
    default:
      var entry = ServiceDefaults(name: name)
      entry.protocol = dice.protocol()
      return .put(ConfigEntry(entry))
    }
  }

  private static func listener(_ name: String, _ dice: inout Dice) -> APIGatewayListener {
    var listener = APIGatewayListener()
    listener.name = name
    listener.protocol = dice.chance(60) ? "http" : "tcp"
    if dice.chance(30) { listener.tls.certificates = [reference("inline-certificate", dice.service())] }
    return listener
  }

  private static func parents(_ dice: inout Dice) -> [ResourceReference] {
    var first = reference("api-gateway", dice.service())
    first.sectionName = dice.chance(50) ? "l1" : ""
    var second = reference("api-gateway", dice.service())
    second.sectionName = "l2"
    return dice.chance(50) ? [first] : [first, second]
  }

  private static func reference(_ kind: String, _ name: String) -> ResourceReference {
    var reference = ResourceReference()
    reference.kind = kind
    reference.name = name
    return reference
  }

  @Test(arguments: UInt64(1)...30)
  func whatIsBoundExistsAndStaysAsItIs(_ seed: UInt64) {
    var dice = Dice(state: seed)
    var entries = StoredEntries()
    for step in 0..<60 {
      entries.apply(Self.change(&dice))
      APIGatewayBindingTests.settle(&entries)
      let rest = APIGatewayBinding.changes(in: entries, datacenter: "dc1", now: APIGatewayBindingTests.now)
      #expect(rest.isEmpty, "seed \(seed), step \(step)")
      #expect(Self.faults(of: entries) == [], "seed \(seed), step \(step)")
    }
  }

  static func faults(of entries: StoredEntries) -> [String] {
    var faults: [String] = []
    let gateways = entries.entries(APIGateway.self)
    if gateways.map(\.name) != entries.entries(BoundAPIGateway.self).map(\.name) { faults.append("other gateways") }
    for gateway in gateways {
      guard let bound = entries.entry(BoundAPIGateway.self, gateway.name) else { continue }
      if bound.listeners.map(\.name) != gateway.listeners.map(\.name) { faults.append("\(gateway.name): listeners") }
      let routes = bound.listeners.flatMap(\.routes)
      for route in routes {
        let status =
          route.kind == "http-route"
          ? entries.entry(HTTPRoute.self, route.name)?.status : entries.entry(TCPRoute.self, route.name)?.status
        let isBound = status?.conditions.contains {
          $0.type == "Bound" && $0.status == "True" && $0.resource?.name == gateway.name
        }
        if isBound != true { faults.append("\(gateway.name): \(route.kind)/\(route.name) does not know") }
      }
      let served = bound.services.routes.flatMap(\.routes)
      if !served.allSatisfy(routes.contains) || !routes.allSatisfy(served.contains) {
        faults.append("\(gateway.name): services \(served), routes \(routes)")
      }
    }
    return faults
  }
}
