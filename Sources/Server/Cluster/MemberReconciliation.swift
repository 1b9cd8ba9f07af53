import Model
import State

/// Brings the catalog in line with the pool: what a leader writes about members that come, fail, leave and are forgotten.
/// A pure core: it compares and names commands; applying one again changes nothing.
struct MemberReconciliation: Sendable {
  let datacenter: String
  /// Name of the node that leads, which is never taken out.
  let ownName: String

  /// What has to be written about one member; nil when the catalog already says so.
  func command(for member: ClusterMember, in state: StateSnapshot) -> Command? {
    guard isOurs(member) else { return nil }
    switch member.status {
    case .alive: return registration(of: member, in: state)
    case .failed: return failure(of: member, in: state)
    case .left: return deregistration(of: member.name, in: state)
    case .none, .leaving: return nil
    }
  }

  /// What has to be written about members that gossip has forgotten.
  func forgotten(_ member: ClusterMember, in state: StateSnapshot) -> Command? {
    isOurs(member) ? deregistration(of: member.name, in: state) : nil
  }

  /// Nodes that were members once, by their check, and are unknown to the pool: another leader missed that they went.
  func strangers(among members: [ClusterMember], in state: StateSnapshot) -> [Command] {
    let known = Set(members.map { $0.name.folded })
    return state.checks(state: "any").value.compactMap { row in
      guard row.value.checkID == CheckID.serfHealth, !known.contains(row.value.node.folded) else { return nil }
      return deregistration(of: row.value.node, in: state)
    }
  }

  /// Agents of this datacenter; nobody else is ours to register.
  private func isOurs(_ member: ClusterMember) -> Bool {
    if let server = ServerMember(member) { return server.datacenter == datacenter }
    return member.isClient && member.datacenter == datacenter
  }

  // MARK: what is written

  private func registration(of member: ClusterMember, in state: StateSnapshot) -> Command? {
    let service = ServerMember(member).map { Self.service(of: $0, member) }
    let node = state.node(named: member.name)?.value
    if let node, node.address == member.address, node.id.isSameName(as: member.nodeID),
      Self.status(of: member.name, in: state) == CheckStatus.passing.rawValue,
      service.map({ Self.isRegistered($0, on: member.name, in: state) }) ?? true
    {
      return nil
    }
    var request = self.request(for: member, node)
    request.service = service
    request.checks = [Self.check(member.name, .passing, "Agent alive and reachable")]
    return .register(request)
  }

  private func failure(of member: ClusterMember, in state: StateSnapshot) -> Command? {
    // A node that was never there does not appear by failing.
    guard let node = state.node(named: member.name)?.value, node.id.isSameName(as: member.nodeID) else { return nil }
    if Self.status(of: member.name, in: state) == CheckStatus.critical.rawValue { return nil }
    var request = self.request(for: member, node)
    request.checks = [Self.check(member.name, .critical, "Agent not live or unreachable")]
    return .register(request)
  }

  private func deregistration(of name: String, in state: StateSnapshot) -> Command? {
    guard !name.isSameName(as: ownName), let node = state.node(named: name)?.value else { return nil }
    var request = DeregisterRequest()
    request.datacenter = datacenter
    request.node = node.node
    return .deregister(request)
  }

  /// The node as gossip knows it; what its agent wrote about it stays.
  private func request(for member: ClusterMember, _ node: Node?) -> RegisterRequest {
    var request = RegisterRequest()
    request.datacenter = datacenter
    request.id = member.nodeID
    request.node = member.name
    request.address = member.address
    // Between this look and the command the agent may have written more about its node than gossip tells.
    request.skipNodeUpdate =
      node.map { $0.address == member.address && $0.id.isSameName(as: member.nodeID) } ?? true
    if let node, node.id.isSameName(as: member.nodeID) || node.id.isEmpty {
      request.taggedAddresses = node.taggedAddresses
      request.nodeMeta = node.meta
    }
    return request
  }

  // MARK: what is there

  private static func status(of node: String, in state: StateSnapshot) -> String? {
    state.checks(node: node).value.first { $0.value.checkID == CheckID.serfHealth }?.value.status
  }

  private static func isRegistered(_ service: NodeService, on node: String, in state: StateSnapshot) -> Bool {
    guard let stored = state.nodeServices(node).value?.services.first(where: { $0.value.id == service.id })?.value
    else { return false }
    return stored.port == service.port && stored.meta == service.meta && stored.service == service.service
  }

  // MARK: records

  private static func check(_ node: String, _ status: CheckStatus, _ output: String) -> HealthCheck {
    var check = HealthCheck()
    check.node = node
    check.checkID = CheckID.serfHealth
    check.name = "Serf Health Status"
    check.status = status.rawValue
    check.output = output
    return check
  }

  /// The service `consul`, by which clients find the servers.
  private static func service(of server: ServerMember, _ member: ClusterMember) -> NodeService {
    var service = NodeService()
    service.id = "consul"
    service.service = "consul"
    service.port = server.rpcPort
    service.weights = Weights()
    var meta: StringMap = [
      "non_voter": String(server.isReadReplica), "raft_version": String(server.raftVersion),
      "read_replica": String(server.isReadReplica), "serf_protocol_current": String(member.protocolCurrent),
      "serf_protocol_max": String(member.protocolMaximum), "serf_protocol_min": String(member.protocolMinimum),
      "version": server.version,
    ]
    if let port = server.grpcPort { meta["grpc_port"] = String(port) }
    if let port = server.grpcTLSPort { meta["grpc_tls_port"] = String(port) }
    service.meta = meta
    return service
  }
}
