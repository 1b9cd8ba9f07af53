import Model
import State

// How dumps of the catalog, coordinates and the like travel.

extension CoordinateNodes {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }
  public static func response(_ reply: [Row<NodeCoordinate>]) -> IndexedCoordinates { IndexedCoordinates(reply) }
  public static func reply(_ response: IndexedCoordinates) -> [Row<NodeCoordinate>] { response.coordinates }
}

extension CoordinateNode {
  public var request: NodeSpecificRequest { NodeSpecificRequest(node: node) }
  public init(request: NodeSpecificRequest) { self.init(node: request.node) }
  public static func response(_ reply: [Row<NodeCoordinate>]) -> IndexedCoordinates { IndexedCoordinates(reply) }
  public static func reply(_ response: IndexedCoordinates) -> [Row<NodeCoordinate>] { response.coordinates }
}

extension IndexedCoordinates {
  fileprivate init(_ coordinates: [Row<NodeCoordinate>]) { self.coordinates = coordinates }
}

extension CoordinateUpdate {
  public var request: CoordinateUpdateRequest {
    var request = CoordinateUpdateRequest()
    request.node = coordinate.node
    request.segment = coordinate.segment
    request.coord = coordinate.coord
    return request
  }

  public init(request: CoordinateUpdateRequest) {
    var coordinate = NodeCoordinate()
    coordinate.node = request.node
    coordinate.segment = request.segment
    coordinate.coord = request.coord
    self.init(coordinate)
  }

  public func response(_ reply: Void) -> RPCEmpty { RPCEmpty() }
  public func reply(_ response: RPCEmpty) {}
}

extension NodeDetailsList {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }

  public static func response(_ reply: [NodeDetails]) -> IndexedNodeDump {
    var response = IndexedNodeDump()
    response.dump = reply.map { NodeInfo($0) }
    return response
  }

  public static func reply(_ response: IndexedNodeDump) -> [NodeDetails] { response.dump.map(\.details) }
}

extension NodeDetailsQuery {
  public var request: NodeSpecificRequest { NodeSpecificRequest(node: node) }
  public init(request: NodeSpecificRequest) { self.init(node: request.node) }

  public static func response(_ reply: NodeDetails?) -> IndexedNodeDump {
    var response = IndexedNodeDump()
    if let reply { response.dump = [NodeInfo(reply)] }
    return response
  }

  public static func reply(_ response: IndexedNodeDump) -> NodeDetails? { response.dump.first?.details }
}

extension ServiceDump {
  public var request: ServiceDumpRequest {
    var request = ServiceDumpRequest()
    request.serviceKind = kind ?? ""
    request.useServiceKind = kind != nil
    return request
  }

  public init(request: ServiceDumpRequest) {
    self.init(kind: request.useServiceKind ? request.serviceKind : nil)
  }

  public static func response(_ reply: [ServiceInstance]) -> IndexedNodesWithGateways {
    var response = IndexedNodesWithGateways()
    response.nodes = reply.map { CheckServiceNode($0) }
    return response
  }

  public static func reply(_ response: IndexedNodesWithGateways) -> [ServiceInstance] {
    response.nodes.compactMap(\.instance)
  }
}

extension UsageQuery {
  public var request: OperatorUsageRequest {
    var request = OperatorUsageRequest()
    request.datacenter = datacenter
    return request
  }

  public init(request: OperatorUsageRequest) { self.init(datacenter: request.datacenter) }

  public static func response(_ reply: Reply) -> UsageResponse {
    var usage = ServiceUsage()
    usage.nodes = reply.counts.nodes
    usage.services = reply.counts.services
    usage.serviceInstances = reply.counts.serviceInstances
    for kind in UsageCounts.meshKinds { usage.connectServiceInstances[kind] = reply.counts.instancesByKind[kind] ?? 0 }
    usage.billableServiceInstances = reply.counts.billableInstances(servers: reply.servers)
    var response = UsageResponse()
    response.usage[reply.datacenter] = usage
    return response
  }

  public static func reply(_ response: UsageResponse) -> Reply {
    guard let (datacenter, usage) = response.usage.first else { return Reply(counts: UsageCounts(), servers: 0) }
    var counts = UsageCounts()
    counts.nodes = usage.nodes
    counts.services = usage.services
    counts.serviceInstances = usage.serviceInstances
    counts.instancesByKind = usage.connectServiceInstances
    // What is not billed although it is no proxy are the servers themselves.
    let servers = counts.billableInstances(servers: 0) &- usage.billableServiceInstances
    return Reply(counts: counts, servers: max(servers, 0), datacenter: datacenter)
  }
}

extension AutopilotGetConfiguration {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }
  public static func response(_ reply: AutopilotConfiguration) -> AutopilotConfiguration { reply }
  public static func reply(_ response: AutopilotConfiguration) -> AutopilotConfiguration { response }
}

extension AutopilotSetConfiguration {
  public var request: AutopilotSetConfigRequest {
    var request = AutopilotSetConfigRequest()
    request.config = configuration
    request.config.modifyIndex = expectedIndex ?? 0
    request.cas = expectedIndex != nil
    return request
  }

  public init(request: AutopilotSetConfigRequest) {
    self.init(request.config, expectedIndex: request.cas ? request.config.modifyIndex : nil)
  }

  public func response(_ reply: Bool) -> Bool { reply }
  public func reply(_ response: Bool) -> Bool { response }
}
