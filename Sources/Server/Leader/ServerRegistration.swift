import Model
import State

/// The server's own entry in the catalog: the node, the check that its agent answers, and the service `consul`.
public struct ServerRegistration: Sendable {
  public var nodeID: String
  public var nodeName: String
  /// Advertised address.
  public var address: String
  /// Port of server RPC, which the service `consul` announces.
  public var rpcPort: Int
  /// Facts about the server that the service's metadata shows.
  public var serviceMeta: StringMap

  public init(nodeID: String, nodeName: String, address: String, rpcPort: Int, serviceMeta: StringMap) {
    self.nodeID = nodeID
    self.nodeName = nodeName
    self.address = address
    self.rpcPort = rpcPort
    self.serviceMeta = serviceMeta
  }

  /// The command that puts the entry into the catalog; applying it again changes nothing.
  func command(datacenter: String, state: StateSnapshot) -> Command {
    var request = RegisterRequest()
    request.datacenter = datacenter
    request.id = nodeID
    request.node = nodeName
    request.address = address
    // What the agent wrote about its node stays.
    if let node = state.node(named: nodeName)?.value, node.id == nodeID {
      request.taggedAddresses = node.taggedAddresses
      request.nodeMeta = node.meta
    }
    request.service = service
    request.checks = [serfHealth]
    return .register(request)
  }

  private var service: NodeService {
    var service = NodeService()
    service.id = "consul"
    service.service = "consul"
    service.port = rpcPort
    service.meta = serviceMeta
    service.weights = Weights()
    return service
  }

  private var serfHealth: HealthCheck {
    var check = HealthCheck()
    check.node = nodeName
    check.checkID = CheckID.serfHealth
    check.name = "Serf Health Status"
    check.status = CheckStatus.passing.rawValue
    check.output = "Agent alive and reachable"
    return check
  }
}
