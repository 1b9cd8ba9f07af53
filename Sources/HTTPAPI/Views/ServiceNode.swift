import Model
import State

/// An instance of a service as the catalog shows it: node and service in one flat object.
struct ServiceNode: Record {
  var id = ""
  var node = ""
  var address = ""
  var datacenter = ""
  var taggedAddresses = StringMap()
  var nodeMeta = StringMap()
  var serviceKind = ServiceKind.typical
  var serviceID = ""
  var serviceName = ""
  var serviceTags: [String] = []
  var serviceAddress = ""
  var serviceTaggedAddresses: [String: ServiceAddress] = [:]
  var serviceWeights = Weights()
  var serviceMeta = StringMap()
  var servicePort = 0
  var serviceSocketPath = ""
  var serviceEnableTagOverride = false
  var serviceProxy = Boxed<ConnectProxyConfig>()
  var serviceConnect = Boxed<ServiceConnect>()
  var serviceLocality: Locality?
  var peerName = ""
  var createIndex: UInt64 = 0
  var modifyIndex: UInt64 = 0

  init() {}

  init(_ instance: ServiceInstance) {
    self.init(instance.node.value, instance.service.value)
  }

  init(_ node: Node, _ service: NodeService) {
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

  static let schema = Schema<ServiceNode>("structs.ServiceNode") {
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
