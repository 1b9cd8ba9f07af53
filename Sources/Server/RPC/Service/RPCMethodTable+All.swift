import AccessControl
import Consensus
import Model
import NIOCore

extension RPCMethodTable {
  /// Every method that this server carries out.
  mutating func registerAll() {
    registerStatus()
    registerCatalog()
    registerStore()
    registerQueries()
    registerOperator()
    registerAccessControl()
    registerAuthMethods()
    registerAuthority()
    registerConfigEntries()
    registerAutoConfiguration()
    registerGossip()
  }

  private mutating func registerStatus() {
    own("Status.Ping") { (_, _: RPCEmpty) in RPCEmpty() }
    anyServer("Status.Leader") { (_: DCSpecificRequest, call) in call.done(call.server.leaderAddress) }
    anyServer("Status.Peers") { (_: DCSpecificRequest, call) in call.done(RPCList(call.server.peerAddresses)) }
    own("Status.RaftStats") { (server, _: RPCEmpty) in server.raftStats }
  }

  private mutating func registerCatalog() {
    own("Catalog.ListDatacenters") { [backend] (_, _: DatacentersRequest) in RPCList(backend.datacenters) }
    write(CatalogRegister.self)
    write(CatalogDeregister.self)
    read(CatalogNodes.self)
    read(CatalogServices.self)
    read(CatalogServiceList.self)
    read(CatalogServiceNodes.self)
    read(CatalogNodeServices.self)
    read(CatalogNodeServiceList.self)
    read(VirtualIPForService.self)
    read(CatalogByAddress.self)
    read(HealthServiceNodes.self)
    read(HealthServiceChecks.self)
    read(HealthNodeChecks.self)
    read(HealthChecksInState.self)
    read(CoordinateNodes.self)
    read(CoordinateNode.self)
    write(CoordinateUpdate.self)
    read(NodeDetailsList.self)
    read(NodeDetailsQuery.self)
    read(ServiceDump.self)
  }

  private mutating func registerStore() {
    read(KVGet.self)
    read(KVList.self)
    read(KVKeys.self)
    write(KVApply.self)
    read(SessionGet.self)
    read(SessionList.self)
    read(NodeSessions.self)
    write(SessionRenew.self)
    write("Session.Apply") { (request: SessionRequest, call) in
      switch request.op {
      case "create" where !request.session.id.isEmpty: call.fail(.invalid("ID must be empty when creating a session"))
      case "create": call.perform { SessionCreate(request: request) }
      case "destroy": call.perform { SessionDestroy(request: request) }
      default: call.fail(.invalid("Invalid session operation \"\(request.op)\""))
      }
    }
    read(TxnRead.self)
    write(TxnApply.self)
  }

  private mutating func registerQueries() {
    read(PreparedQueryList.self)
    read(PreparedQueryGet.self)
    read(PreparedQueryExplain.self)
    registerExecution()
    read(PreparedQueryExecuteRemote.self)
    write(PreparedQueryApply.self)
  }

  private mutating func registerAccessControl() {
    write(ACLBootstrap.self)
    write(TokenSet.self)
    write(TokenClone.self)
    write(TokenDelete.self)
    write(PolicySet.self)
    write(PolicyDelete.self)
    write(RoleSet.self)
    write(RoleDelete.self)
    read(TokenRead.self)
    read(TokenList.self)
    read(TokenBatchRead.self)
    read(PolicyBatchRead.self)
    read(RoleBatchRead.self)
    leader("ACL.ReplicationStatus", nil) { (server, _: DCSpecificRequest) in server.replicationStatus }
    authorize()
    read(PolicyRead.self)
    read(PolicyList.self)
    read(PolicyResolve.self)
    read(RoleRead.self)
    read(RoleList.self)
    read(RoleResolve.self)
  }

  private mutating func registerAuthority() {
    read(ConnectCARoots.self)
    read(ConnectCAConfigurationGet.self)
    write(ConnectCAConfigurationSet.self)
    write(ConnectCASign.self)
  }

  private mutating func registerConfigEntries() {
    read(ConfigEntryGet.self)
    read(ConfigEntryList.self)
    read(ConfigEntryListAll.self)
    write(ConfigEntryApply.self)
    write(ConfigEntryDelete.self)
    read(DiscoveryChainGet.self)
    read(SharedServices.self)
    read(IntentionList.self)
    read(IntentionGet.self)
    read(IntentionMatch.self)
    read(IntentionCheck.self)
    write(IntentionApply.self)
  }

  private mutating func registerOperator() {
    read(UsageQuery.self)
    read(AutopilotGetConfiguration.self)
    write(AutopilotSetConfiguration.self)
    leader("Operator.RaftGetConfiguration") { (server, _: DCSpecificRequest) in server.raftConfigurationResponse }
    leader("Operator.ServerHealth") { (server, _: DCSpecificRequest) in server.autopilotHealth }
    for name in ["Operator.RaftRemovePeerByAddress", "Operator.RaftRemovePeerByID"] {
      write(name) { (request: RaftRemovePeerRequest, call) throws(ServerError) in
        try call.require(.operatorWrite)
        call.server.removePeer(id: request.id, address: request.address) { result in
          call.loop.execute { call.done(result) }
        }
      }
    }
  }
}

extension ServerNode {
  /// How far the log of this server is.
  var raftStats: RaftStats {
    let status = raft.currentStatus
    var stats = RaftStats()
    stats.lastTerm = status.lastLogTerm
    stats.lastIndex = status.lastLogIndex
    stats.lastContact =
      status.state == .leader ? "0" : status.lastContact.map { GoDuration($0).description } ?? "never"
    return stats
  }

  /// The servers of consensus, as the leader knows them.
  var raftConfigurationResponse: RaftConfigurationResponse {
    let status = raft.currentStatus
    let names = Dictionary(members.servers.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    var response = RaftConfigurationResponse()
    response.servers = status.latestConfiguration.servers.map { server in
      var entry = RaftServerEntry()
      entry.id = server.id
      entry.node = names[server.id] ?? "(unknown)"
      entry.address = server.address
      entry.isLeader = server.id == status.leader?.id
      entry.isVoter = server.suffrage == .voter
      entry.protocolVersion = "3"
      entry.lastIndex = status.lastLogIndex
      return entry
    }
    response.index = status.latestConfigurationIndex
    return response
  }

  var autopilotHealth: AutopilotHealthReply {
    let state = autopilotState
    var reply = AutopilotHealthReply()
    reply.isHealthy = state.isHealthy
    reply.failureTolerance = state.failureTolerance
    reply.servers = state.servers.map { AutopilotServerHealth($0) }
    return reply
  }
}

extension AutopilotServerHealth {
  fileprivate init(_ server: AutopilotState.Server) {
    let seen = server.observation
    id = seen.id
    name = seen.name
    address = seen.address
    serfStatus = ["none", "alive", "leaving", "left", "failed"].firstIndex(of: seen.nodeStatus) ?? 0
    version = seen.version
    isLeader = server.isLeader
    lastContact = seen.lastContact ?? GoDuration(nanoseconds: -1)
    lastTerm = seen.lastTerm
    lastIndex = seen.lastIndex
    isHealthy = server.isHealthy
    isVoter = seen.isVoter
    stableSince = server.stableSince
  }
}
