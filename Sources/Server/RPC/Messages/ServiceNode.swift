import Model
import State

/// An instance of a service as the catalog shows it: node and service in one flat object.
public struct ServiceNode: Record {
  public var id = ""
  public var node = ""
  public var address = ""
  public var datacenter = ""
  public var taggedAddresses = StringMap()
  public var nodeMeta = StringMap()
  public var serviceKind = ServiceKind.typical
  public var serviceID = ""
  public var serviceName = ""
  public var serviceTags: [String] = []
  public var serviceAddress = ""
  public var serviceTaggedAddresses: [String: ServiceAddress] = [:]
  public var serviceWeights = Weights()
  public var serviceMeta = StringMap()
  public var servicePort = 0
  public var serviceSocketPath = ""
  public var serviceEnableTagOverride = false
  public var serviceProxy = Boxed<ConnectProxyConfig>()
  public var serviceConnect = Boxed<ServiceConnect>()
  public var serviceLocality: Locality?
  public var peerName = ""
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public init(_ instance: ServiceInstance) {
    self.init(instance.node.value, instance.service.value)
  }

  public init(_ node: Node, _ service: NodeService) {
    id = node.id
    self.node = node.node
    address = node.address
    datacenter = node.datacenter
    taggedAddresses = node.taggedAddresses
    nodeMeta = node.meta
    serviceKind = service.kind
    serviceID = service.id
    serviceName = service.service
    serviceTags = service.tags
    serviceAddress = service.address
    serviceTaggedAddresses = service.taggedAddresses
    serviceWeights = service.weights ?? Weights()
    serviceMeta = service.meta.present
    servicePort = service.port
    serviceSocketPath = service.socketPath
    serviceEnableTagOverride = service.enableTagOverride
    serviceProxy = service.proxy
    serviceConnect = service.connect
    serviceLocality = service.locality
    peerName = service.peerName
    createIndex = service.createIndex
    modifyIndex = service.modifyIndex
  }

  /// Node and service apart again, as far as this form has them.
  var instance: ServiceInstance {
    var node = Node()
    node.id = id
    node.node = self.node
    node.address = address
    node.datacenter = datacenter
    node.taggedAddresses = taggedAddresses
    node.meta = nodeMeta
    var service = NodeService()
    service.kind = serviceKind
    service.id = serviceID
    service.service = serviceName
    service.tags = serviceTags
    service.address = serviceAddress
    service.taggedAddresses = serviceTaggedAddresses
    service.weights = serviceWeights
    service.meta = serviceMeta
    service.port = servicePort
    service.socketPath = serviceSocketPath
    service.enableTagOverride = serviceEnableTagOverride
    service.proxy = serviceProxy
    service.connect = serviceConnect
    service.locality = serviceLocality
    service.peerName = peerName
    service.createIndex = createIndex
    service.modifyIndex = modifyIndex
    return ServiceInstance(node: Row(node), service: Row(service), checks: [])
  }

  public static let schema = Schema<ServiceNode>("structs.ServiceNode") {
    $0.field("ID", \.id)
    $0.field("Node", \.node)
    $0.field("Address", \.address)
    $0.field("Datacenter", \.datacenter)
    $0.field("TaggedAddresses", \.taggedAddresses)
    $0.field("NodeMeta", \.nodeMeta)
    $0.field("ServiceKind", \.serviceKind)
    $0.field("ServiceID", \.serviceID)
    $0.field("ServiceName", \.serviceName)
    $0.field("ServiceTags", \.serviceTags)
    $0.field("ServiceAddress", \.serviceAddress)
    $0.field("ServiceTaggedAddresses", \.serviceTaggedAddresses, .omitEmpty)
    $0.field("ServiceWeights", \.serviceWeights)
    $0.field("ServiceMeta", \.serviceMeta)
    $0.field("ServicePort", \.servicePort)
    $0.field("ServiceSocketPath", \.serviceSocketPath)
    $0.field("ServiceEnableTagOverride", \.serviceEnableTagOverride)
    $0.field("ServiceProxy", \.serviceProxy)
    $0.field("ServiceConnect", \.serviceConnect)
    $0.field("ServiceLocality", \.serviceLocality, .notSelectable)
    $0.field("PeerName", \.peerName, .omitEmpty)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}
