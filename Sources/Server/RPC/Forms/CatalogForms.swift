import Model
import State

// How reads and changes of the catalog travel.

extension NodeSelection {
  init(_ nodeMeta: StringMap, _ source: RPCQuerySource) {
    self.init(nodeMeta: nodeMeta, near: source.near, ip: source.ip)
  }

  fileprivate var source: RPCQuerySource {
    var source = RPCQuerySource()
    source.node = near
    source.ip = ip
    return source
  }
}

extension CatalogNodes {
  public var request: DCSpecificRequest {
    var request = DCSpecificRequest()
    request.nodeMetaFilters = selection.nodeMeta
    request.source = selection.source
    return request
  }

  public init(request: DCSpecificRequest) {
    self.init(selection: NodeSelection(request.nodeMetaFilters, request.source))
  }

  public static func response(_ reply: [Row<Node>]) -> IndexedNodes {
    var response = IndexedNodes()
    response.nodes = reply
    return response
  }

  public static func reply(_ response: IndexedNodes) -> [Row<Node>] { response.nodes }
}

extension CatalogServices {
  public var request: DCSpecificRequest {
    var request = DCSpecificRequest()
    request.nodeMetaFilters = nodeMeta
    request.options.filter = filter
    return request
  }

  public init(request: DCSpecificRequest) throws(ServerError) {
    do throws(FilterError) {
      try self.init(nodeMeta: request.nodeMetaFilters, filter: request.options.filter)
    } catch {
      throw .invalid(error.description)
    }
  }

  public static func response(_ reply: [ServiceSummary]) -> IndexedServices {
    var response = IndexedServices()
    for service in reply { response.services[service.name] = service.tags }
    return response
  }

  public static func reply(_ response: IndexedServices) -> [ServiceSummary] {
    response.services.keys.sorted(by: bytewiseLess).map { ServiceSummary(name: $0, tags: response.services[$0] ?? []) }
  }
}

extension ServiceSpecificRequest {
  fileprivate init(_ service: String, _ tags: [String], connect: Bool, _ selection: NodeSelection) {
    serviceName = service
    serviceTags = tags
    tagFilter = !tags.isEmpty
    self.connect = connect
    nodeMetaFilters = selection.nodeMeta
    source = selection.source
  }

  fileprivate var wantedTags: [String] {
    guard tagFilter else { return [] }
    return serviceTags.isEmpty && !serviceTag.isEmpty ? [serviceTag] : serviceTags
  }

  fileprivate var selection: NodeSelection { NodeSelection(nodeMetaFilters, source) }

  fileprivate func requireName() throws(ServerError) {
    if serviceName.isEmpty { throw .invalid("Must provide service name") }
  }
}

extension CatalogServiceNodes {
  public var request: ServiceSpecificRequest { ServiceSpecificRequest(service, tags, connect: connect, selection) }

  public init(request: ServiceSpecificRequest) throws(ServerError) {
    try request.requireName()
    self.init(
      service: request.serviceName, tags: request.wantedTags, connect: request.connect, selection: request.selection)
  }

  public static func response(_ reply: [ServiceInstance]) -> IndexedServiceNodes {
    var response = IndexedServiceNodes()
    response.serviceNodes = reply.map { ServiceNode($0) }
    return response
  }

  public static func reply(_ response: IndexedServiceNodes) -> [ServiceInstance] {
    response.serviceNodes.map(\.instance)
  }
}

extension HealthServiceNodes {
  public var request: ServiceSpecificRequest { ServiceSpecificRequest(service, tags, connect: connect, selection) }

  public init(request: ServiceSpecificRequest) throws(ServerError) {
    try request.requireName()
    self.init(
      service: request.serviceName, tags: request.wantedTags, connect: request.connect, selection: request.selection)
    health = HealthFilter(rawValue: request.healthFilterType) ?? .all
  }

  public static func response(_ reply: [ServiceInstance]) -> IndexedCheckServiceNodes {
    var response = IndexedCheckServiceNodes()
    response.nodes = reply.map { CheckServiceNode($0) }
    return response
  }

  public static func reply(_ response: IndexedCheckServiceNodes) -> [ServiceInstance] {
    response.nodes.compactMap(\.instance)
  }
}

extension HealthServiceChecks {
  public var request: ServiceSpecificRequest { ServiceSpecificRequest(service, [], connect: false, selection) }

  public init(request: ServiceSpecificRequest) throws(ServerError) {
    try request.requireName()
    self.init(service: request.serviceName, selection: request.selection)
  }

  public static func response(_ reply: [Row<HealthCheck>]) -> IndexedHealthChecks { IndexedHealthChecks(reply) }
  public static func reply(_ response: IndexedHealthChecks) -> [Row<HealthCheck>] { response.healthChecks }
}

extension HealthNodeChecks {
  public var request: NodeSpecificRequest { NodeSpecificRequest(node: node) }
  public init(request: NodeSpecificRequest) { self.init(node: request.node) }
  public static func response(_ reply: [Row<HealthCheck>]) -> IndexedHealthChecks { IndexedHealthChecks(reply) }
  public static func reply(_ response: IndexedHealthChecks) -> [Row<HealthCheck>] { response.healthChecks }
}

extension HealthChecksInState {
  public var request: ChecksInStateRequest {
    var request = ChecksInStateRequest()
    request.state = status
    request.nodeMetaFilters = selection.nodeMeta
    request.source = selection.source
    return request
  }

  public init(request: ChecksInStateRequest) {
    self.init(status: request.state, selection: NodeSelection(request.nodeMetaFilters, request.source))
  }

  public static func response(_ reply: [Row<HealthCheck>]) -> IndexedHealthChecks { IndexedHealthChecks(reply) }
  public static func reply(_ response: IndexedHealthChecks) -> [Row<HealthCheck>] { response.healthChecks }
}

extension IndexedHealthChecks {
  init(_ checks: [Row<HealthCheck>]) { healthChecks = checks }
}

extension NodeSpecificRequest {
  init(node: String) { self.node = node }
}

extension CatalogNodeServices {
  public var request: NodeSpecificRequest { NodeSpecificRequest(node: node) }

  public init(request: NodeSpecificRequest) throws(ServerError) {
    if request.node.isEmpty { throw .invalid("Must provide node") }
    self.init(node: request.node)
  }

  public static func response(_ reply: NodeServices?) -> IndexedNodeServices {
    var response = IndexedNodeServices()
    guard let reply else { return response }
    var found = NodeServicesByID()
    found.node = reply.node
    for service in reply.services { found.services[service.value.id] = service }
    response.nodeServices = found
    return response
  }

  public static func reply(_ response: IndexedNodeServices) -> NodeServices? {
    guard let found = response.nodeServices, let node = found.node else { return nil }
    let services = found.services.keys.sorted(by: bytewiseLess).compactMap { found.services[$0] }
    return NodeServices(node: node, services: services)
  }
}

extension CatalogNodeServiceList {
  public var request: NodeSpecificRequest { NodeSpecificRequest(node: node) }

  public init(request: NodeSpecificRequest) throws(ServerError) {
    if request.node.isEmpty { throw .invalid("Must provide node") }
    self.init(node: request.node)
  }

  public static func response(_ reply: NodeServices?) -> IndexedNodeServiceList {
    var response = IndexedNodeServiceList()
    response.nodeServices.node = reply?.node
    response.nodeServices.services = reply?.services ?? []
    return response
  }

  public static func reply(_ response: IndexedNodeServiceList) -> NodeServices? {
    response.nodeServices.node.map { NodeServices(node: $0, services: response.nodeServices.services) }
  }
}

extension CatalogServiceList {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }

  public static func response(_ reply: [String]) -> IndexedServiceList {
    var response = IndexedServiceList()
    response.services = reply.map {
      var name = ServiceName()
      name.name = $0
      return name
    }
    return response
  }

  public static func reply(_ response: IndexedServiceList) -> [String] { response.services.map(\.name) }
}

extension VirtualIPForService {
  public var request: ServiceSpecificRequest { ServiceSpecificRequest(service, [], connect: false, NodeSelection()) }
  public init(request: ServiceSpecificRequest) { self.init(service: request.serviceName) }
  public static func response(_ reply: String?) -> String { reply ?? "" }
  public static func reply(_ response: String) -> String? { response.isEmpty ? nil : response }
}

extension CatalogByAddress {
  public var request: ServiceSpecificRequest {
    var request = ServiceSpecificRequest()
    request.serviceAddress = address
    return request
  }

  public init(request: ServiceSpecificRequest) { self.init(address: request.serviceAddress) }

  public static func response(_ reply: Reply) -> CatalogByAddressResponse {
    var response = CatalogByAddressResponse()
    response.node = reply.node
    response.services = reply.services
    return response
  }

  public static func reply(_ response: CatalogByAddressResponse) -> Reply {
    Reply(node: response.node, services: response.services)
  }
}

extension CatalogRegister {
  public init(request: RegisterRequest) { self.init(request) }
  public func response(_ reply: Bool) -> RPCEmpty { RPCEmpty() }
  public func reply(_ response: RPCEmpty) -> Bool { true }
}

extension CatalogDeregister {
  public init(request: DeregisterRequest) { self.init(request) }
  public func response(_ reply: Bool) -> RPCEmpty { RPCEmpty() }
  public func reply(_ response: RPCEmpty) -> Bool { true }
}
