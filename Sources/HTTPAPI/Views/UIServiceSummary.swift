import Model
import State

/// A service with the health of all its instances in three numbers.
struct UIServiceSummary: Record {
  var kind = ServiceKind.typical
  var name = ""
  var datacenter = ""
  var tags: [String] = []
  var nodes: [String] = []
  /// The systems that registered instances from outside, by the `external-source` of their metadata.
  var externalSources: [String] = []
  var instanceCount = 0
  var checksPassing = 0
  var checksWarning = 0
  var checksCritical = 0
  var gatewayConfig = UIGatewayConfig()
  var transparentProxy = false
  var connectNative = false
  /// Whether a proxy stands for the service.
  var connectedWithProxy = false
  var connectedWithGateway = false

  init() {}

  static let schema = Schema<UIServiceSummary>("agent.ServiceListingSummary") {
    $0.field("Kind", \.kind, .omitEmpty)
    $0.field("Name", \.name)
    $0.field("Datacenter", \.datacenter)
    $0.field("Tags", \.tags, .nullWhenEmpty)
    $0.field("Nodes", \.nodes, .nullWhenEmpty)
    $0.field("ExternalSources", \.externalSources, .nullWhenEmpty)
    $0.field("InstanceCount", \.instanceCount)
    $0.field("ChecksPassing", \.checksPassing)
    $0.field("ChecksWarning", \.checksWarning)
    $0.field("ChecksCritical", \.checksCritical)
    $0.field("GatewayConfig", \.gatewayConfig)
    $0.field("TransparentProxy", \.transparentProxy)
    $0.field("ConnectNative", \.connectNative)
    $0.field("ConnectedWithProxy", \.connectedWithProxy)
    $0.field("ConnectedWithGateway", \.connectedWithGateway)
  }

  /// One summary per service name, in the order of names. The checks of a node count once per service on it.
  static func summaries(of instances: [ServiceInstance], datacenter: String) -> [UIServiceSummary] {
    var builders: [String: Builder] = [:]
    var proxied: Set<String> = []
    for instance in instances {
      let name = instance.service.value.service
      builders[name, default: Builder(name: name, datacenter: datacenter)].add(instance)
      if instance.service.value.kind == ServiceKind.connectProxy {
        proxied.insert(instance.service.value.proxy.value.destinationServiceName)
      }
    }
    return builders.values.map { $0.finish(isProxied: proxied.contains($0.name)) }
      .sorted { bytewiseLess($0.name, $1.name) }
  }

  private struct Builder {
    private var summary = UIServiceSummary()
    private var tags: Set<String> = []
    private var nodes: Set<String> = []
    private var sources: Set<String> = []
    private var countedNodeChecks: Set<String> = []

    var name: String { summary.name }

    init(name: String, datacenter: String) {
      summary.name = name
      summary.datacenter = datacenter
    }

    mutating func add(_ instance: ServiceInstance) {
      let service = instance.service.value
      summary.instanceCount += 1
      summary.kind = service.kind
      summary.connectNative = summary.connectNative || service.connect.value.native
      summary.transparentProxy = summary.transparentProxy || service.proxy.value.mode == "transparent"
      tags.formUnion(service.tags)
      nodes.insert(instance.node.value.node)
      if let source = service.meta["external-source"], !source.isEmpty { sources.insert(source) }
      for check in instance.checks {
        let check = check.value
        if check.serviceID.isEmpty, !countedNodeChecks.insert("\(check.node)\u{0}\(check.checkID)").inserted {
          continue
        }
        switch check.status {
        case CheckStatus.passing.rawValue: summary.checksPassing += 1
        case CheckStatus.warning.rawValue: summary.checksWarning += 1
        default: summary.checksCritical += 1
        }
      }
    }

    func finish(isProxied: Bool) -> UIServiceSummary {
      var summary = summary
      summary.tags = tags.sorted(by: bytewiseLess)
      summary.nodes = nodes.sorted(by: bytewiseLess)
      summary.externalSources = sources.sorted(by: bytewiseLess)
      summary.connectedWithProxy = isProxied
      return summary
    }
  }
}

/// What gateways know of a service: nothing without configuration entries.
struct UIGatewayConfig: Record {
  init() {}
  static let schema = Schema<UIGatewayConfig>("agent.GatewayConfig") { _ in }
}
