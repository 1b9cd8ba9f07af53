import AgentConfiguration
import Gossip
import LocalAgent
import Model
import Server
import Wire

/// What requests ask of the pools.
extension GossipPools: GossipServices {
  var hasWAN: Bool { wan != nil }

  func keyring(_ operation: KeyringOperation, relayFactor: UInt8, wan isWAN: Bool) async -> KeyringResponse {
    var response = KeyringResponse()
    response.isWAN = isWAN
    response.datacenter = datacenter
    guard let pool = isWAN ? wan : lan else {
      response.error = "gossip does not run"
      return response
    }
    do {
      response.take(try await pool.keys(try KeyOperation(operation), relayFactor: relayFactor))
    } catch {
      response.error = "\(error)"
    }
    return response
  }

  func fire(event name: String, payload: [UInt8]) throws(ServerError) {
    guard let lan else { throw .rejected("gossip does not run") }
    do throws(UserEventError) {
      try GossipCarrier(lan).send(name: UserEventPayload.prefix + name, payload: payload)
    } catch {
      throw .invalid(error.description)
    }
  }

  func datacenterMaps() async -> [DatacenterMap] {
    guard let wan else { return [] }
    let coordinates = await wan.coordinates()
    let servers = wan.members.filter { $0.status != .left }.compactMap { ServerMember(ClusterMember($0)) }
    let areas = Dictionary(grouping: servers, by: \.datacenter).map { datacenter, servers in
      var map = DatacenterMap()
      map.datacenter = datacenter
      map.coordinates = servers.compactMap { server in
        coordinates[server.name].map { Self.place(of: server, $0) }
      }
      return map
    }
    return areas.sorted { bytewiseLess($0.datacenter, $1.datacenter) }
  }

  private static func place(of server: ServerMember, _ coordinate: Coordinate) -> NodeCoordinate {
    var place = NodeCoordinate()
    place.node = server.nameInDatacenter
    place.coord = coordinate
    return place
  }

  /// Notes how far the other datacenters are, until the task is cancelled: answers and failovers go by it.
  func measureDistances() async {
    while !Task.isCancelled {
      if let own = wan?.coordinate {
        members.setDistances(DatacenterOrder.distances(await datacenterMaps(), from: own))
      }
      try? await Task.sleep(for: Self.distancePeriod)
    }
  }

  private static let distancePeriod = Duration.seconds(5)
}

extension ServerMember {
  /// Names in the WAN pool have the datacenter behind them.
  fileprivate var nameInDatacenter: String {
    let ending = ".\(datacenter)"
    return name.hasSuffix(ending) ? String(name.dropLast(ending.count)) : name
  }
}

extension KeyOperation {
  /// - Throws: `AgentError.configuration` for text that is no base64. Whether bytes are a key, every member judges for itself.
  init(_ operation: KeyringOperation) throws(AgentError) {
    switch operation {
    case .list: self = .list
    case .install(let key): self = .install(try Self.bytes(key))
    case .use(let key): self = .use(try Self.bytes(key))
    case .remove(let key): self = .remove(try Self.bytes(key))
    }
  }

  private static func bytes(_ key: String) throws(AgentError) -> [UInt8] {
    switch Model.Base64.decode(key) {
    case .success(let bytes): return bytes
    case .failure(let error): throw .configuration(GossipKey.problem(key) ?? error.description)
    }
  }
}

extension KeyringResponse {
  mutating func take(_ result: KeyOperationResult) {
    keys = result.keys
    primaryKeys = result.primaryKeys
    nodeCount = result.memberCount
    messages = StringMap(result.messages.map { (key: $0.key, value: $0.value) })
    if result.errorCount > 0 {
      error = "\(result.errorCount)/\(result.memberCount) nodes reported failure"
    } else if result.responseCount != result.memberCount {
      error = "\(result.responseCount)/\(result.memberCount) nodes reported success"
    }
  }
}
