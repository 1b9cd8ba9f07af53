import Model

/// Attaches routes and certificates to the listeners of API gateways, and says in their statuses what came of it.
///
/// The outcome depends on the entries as they are, not on what changed last: whoever carries out the changes and asks again
/// gets none. Servers write bound gateways; users write the others.
public enum APIGatewayBinding {
  /// Whether a change of an entry of the kind can change the outcome.
  public static func isConcerned(by kind: ConfigEntryKind) -> Bool {
    switch kind {
    case .apiGateway, .boundAPIGateway, .httpRoute, .tcpRoute, .inlineCertificate, .fileSystemCertificate: true
    case .serviceDefaults, .proxyDefaults, .serviceRouter, .serviceSplitter, .serviceResolver: true
    default: false
    }
  }

  /// What must be written so that bound gateways and statuses say what is.
  ///
  /// - Parameters:
  ///   - datacenter: of the entries.
  ///   - now: when conditions that are new came about.
  public static func changes(
    in source: some ConfigEntrySource, datacenter: String, now: Timestamp
  ) -> [ConfigEntryChange] {
    var binding = GatewayBinding(source, datacenter: datacenter)
    for route in source.entries(HTTPRoute.self) { binding.bind(route) }
    for route in source.entries(TCPRoute.self) { binding.bind(route) }
    var changes = source.entries(BoundAPIGateway.self)
      .filter { source.entry(APIGateway.self, $0.name) == nil }
      .map { ConfigEntryChange.delete(.boundAPIGateway, name: $0.name) }
    for gateway in binding.gateways {
      changes += put(gateway, binding.conditions(of: gateway), now: now)
      let bound = binding.boundGateway(gateway)
      if source.entry(BoundAPIGateway.self, gateway.name) != bound { changes.append(.put(ConfigEntry(bound))) }
    }
    for (route, conditions) in binding.routes { changes += put(route, conditions, now: now) }
    return changes
  }

  /// The change that gives an entry its conditions; none when it has them.
  private static func put(
    _ entry: any StatusRecord, _ conditions: [GatewayCondition], now: Timestamp
  ) -> [ConfigEntryChange] {
    var entry = entry
    let former = entry.status.conditions
    let updated = conditions.sorted { $0.precedes($1) }.map { condition in
      var condition = condition
      condition.lastTransitionTime = former.first { $0.saysTheSame(as: condition) }?.lastTransitionTime ?? now
      return condition
    }
    guard updated != former else { return [] }
    entry.status.conditions = updated
    return [.put(ConfigEntry(entry))]
  }
}

/// An entry that says what became of it.
protocol StatusRecord: ConfigEntryRecord {
  var status: GatewayStatus { get set }
}

extension APIGateway: StatusRecord {}
extension HTTPRoute: StatusRecord {}
extension TCPRoute: StatusRecord {}

extension ConfigEntry {
  /// The entry as a user wrote it, with the status that it had before: users do not write it.
  public func keepingStatus(of former: ConfigEntry?) -> ConfigEntry {
    guard var record = record as? any StatusRecord else { return self }
    record.status = (former?.record as? any StatusRecord)?.status ?? GatewayStatus()
    return ConfigEntry(record)
  }
}

extension GatewayCondition {
  /// - Parameter resource: what the condition is about; nil for the entry itself.
  init(_ type: String, _ holds: Bool, _ reason: String, _ message: String, _ resource: ResourceReference? = nil) {
    self.init()
    self.type = type
    status = holds ? "True" : "False"
    self.reason = reason
    self.message = message
    self.resource = resource ?? ResourceReference()
  }

  /// Whether two conditions differ in nothing but their age.
  fileprivate func saysTheSame(as other: GatewayCondition) -> Bool {
    var copy = self
    copy.lastTransitionTime = other.lastTransitionTime
    return copy == other
  }

  /// The order in which the API shows conditions.
  fileprivate func precedes(_ other: GatewayCondition) -> Bool {
    func key(_ condition: GatewayCondition) -> [String] {
      let resource = condition.resource ?? ResourceReference()
      return [condition.type, resource.kind, resource.name, resource.sectionName]
    }
    return key(self).lexicographicallyPrecedes(key(other), by: bytewiseLess)
  }
}

extension ResourceReference {
  init(_ kind: ConfigEntryKind, _ name: String, section: String = "") {
    self.init()
    self.kind = kind.rawValue
    self.name = name
    sectionName = section
  }
}
