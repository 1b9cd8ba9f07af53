/// A machine of the catalog: where services and checks live.
public struct Node: Record {
  public var id = ""
  public var node = ""
  public var address = ""
  public var datacenter = ""
  public var partition = ""
  public var peerName = ""
  public var taggedAddresses = StringMap()
  public var meta = StringMap()
  public var locality: Locality?
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<Node>("structs.Node") {
    $0.field("ID", \.id)
    $0.field("Node", \.node)
    $0.field("Address", \.address)
    $0.field("Datacenter", \.datacenter)
    $0.field("Partition", \.partition, .omitEmpty)
    $0.field("PeerName", \.peerName, .omitEmpty)
    $0.field("TaggedAddresses", \.taggedAddresses)
    $0.field("Meta", \.meta)
    $0.field("Locality", \.locality, [.omitEmpty, .notSelectable])
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// Where a node or service instance runs, for routing by locality.
public struct Locality: Record {
  public var region = ""
  public var zone = ""

  public init() {}

  public static let schema = Schema<Locality>("structs.Locality") {
    $0.field("Region", \.region, .omitEmpty)
    $0.field("Zone", \.zone, .omitEmpty)
  }
}

/// An address and port under which a service is known in one network.
public struct ServiceAddress: Record, Hashable {
  public var address = ""
  public var port = 0

  public init() {}
  public init(address: String, port: Int) {
    self.address = address
    self.port = port
  }

  public static let schema = Schema<ServiceAddress>("structs.ServiceAddress") {
    $0.field("Address", \.address)
    $0.field("Port", \.port)
  }
}

/// The weight of an instance in SRV answers, by health.
public struct Weights: Record, Hashable {
  public var passing = 1
  public var warning = 1

  public init() {}
  public init(passing: Int, warning: Int) {
    self.passing = passing
    self.warning = warning
  }

  public static let schema = Schema<Weights>("structs.Weights") {
    $0.field("Passing", \.passing)
    $0.field("Warning", \.warning)
  }
}
