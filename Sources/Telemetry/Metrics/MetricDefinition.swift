/// A metric that is shown to Prometheus from the start, with what it means.
struct MetricDefinition: Sendable {
  var kind: MetricKind
  var name: String
  var help: String

  static func counter(_ name: String, _ help: String) -> MetricDefinition {
    MetricDefinition(kind: .counter, name: name, help: help)
  }

  static func sample(_ name: String, _ help: String) -> MetricDefinition {
    MetricDefinition(kind: .sample, name: name, help: help)
  }

  static func gauge(_ name: String, _ help: String) -> MetricDefinition {
    MetricDefinition(kind: .gauge, name: name, help: help)
  }

  /// All of them. Metrics with other names are shown once they have a value.
  static let all = agent + catalog + clientAPI + consensus + stateMachine + rpc + state

  private static let agent: [MetricDefinition] = [
    .sample("acl.ResolveToken", "Milliseconds until it is known what a token may do."),
    .sample("api.http", "Milliseconds from a request of the HTTP API to its answer, by method and path."),
    .counter("cache.bypass", "Requests that the cache could not be asked for."),
    .gauge("cache.entries_count", "Answers that the agent remembers for clients that ask for cached ones."),
    .counter("cache.evict_expired", "Remembered answers that were forgotten because nobody asked for them."),
    .counter("cache.fetch_error", "Answers that could not be fetched for the cache."),
    .counter("cache.fetch_success", "Answers that were fetched for the cache."),
    .gauge("version", "1, labelled with the version that runs."),
    .counter("acl.blocked.check.registration", "Checks that the catalog refused for want of a right."),
    .counter("acl.blocked.check.deregistration", "Removals of checks that the catalog refused for want of a right."),
    .counter("acl.blocked.node.registration", "Nodes that the catalog refused for want of a right."),
    .counter("acl.blocked.service.registration", "Services that the catalog refused for want of a right."),
    .counter(
      "acl.blocked.service.deregistration", "Removals of services that the catalog refused for want of a right."),
  ]

  private static let catalog: [MetricDefinition] = [
    .sample("catalog.register", "Milliseconds until a registration is in the catalog."),
    .sample("catalog.deregister", "Milliseconds until a registration is out of the catalog."),
    .counter("catalog.service.query", "Reads of the instances of a service."),
    .counter("catalog.service.query-tag", "Reads of the instances of a service that have a tag."),
    .counter("catalog.service.query-tags", "Reads of the instances of a service that have some tags."),
    .counter("catalog.service.not-found", "Reads of the instances of a service that found none."),
    .counter("catalog.connect.query", "Reads of the mesh instances of a service."),
    .counter("catalog.connect.query-tag", "Reads of the mesh instances of a service that have a tag."),
    .counter("catalog.connect.query-tags", "Reads of the mesh instances of a service that have some tags."),
    .counter("catalog.connect.not-found", "Reads of the mesh instances of a service that found none."),
    .sample("kvs.apply", "Milliseconds until a change of a key is done."),
    .sample("session.apply", "Milliseconds until a session is made or ended."),
    .sample("session.renew", "Milliseconds that the renewal of a session takes."),
    .gauge("session_ttl.active", "Sessions whose time runs."),
    .sample("session_ttl.invalidate", "Milliseconds until a session that was not renewed is ended."),
    .sample("txn.apply", "Milliseconds until a transaction is done."),
    .sample("txn.read", "Milliseconds that a transaction takes that only reads."),
    .sample("prepared-query.apply", "Milliseconds until a change of a prepared query is done."),
    .sample("prepared-query.execute", "Milliseconds that running a prepared query takes."),
    .sample("prepared-query.execute_remote", "Milliseconds that running a prepared query of another datacenter takes."),
    .sample("prepared-query.explain", "Milliseconds that explaining a prepared query takes."),
  ]

  /// The requests about the catalog that are counted singly.
  static let catalogRequests = [
    "catalog_register", "catalog_deregister", "catalog_datacenters", "catalog_nodes", "catalog_services",
    "catalog_service_nodes", "catalog_node_services", "catalog_node_service_list", "catalog_gateway_services",
  ]

  private static let clientAPI: [MetricDefinition] =
    catalogRequests.flatMap { request -> [MetricDefinition] in
      let name = request.split(separator: "_", maxSplits: 1).joined(separator: " ")
      return [
        .counter("client.api.\(request)", "Requests \(name) that this agent received."),
        .counter("client.api.success.\(request)", "Requests \(name) that this agent answered."),
        .counter("client.rpc.error.\(request)", "Requests \(name) that the servers did not answer."),
      ]
    } + [
      .counter("client.rpc", "Requests of this agent to the servers."),
      .counter("client.rpc.exceeded", "Requests to the servers that this agent's own limit held back."),
      .counter("client.rpc.failed", "Requests to the servers that failed."),
    ]

  private static let consensus: [MetricDefinition] = [
    .counter("raft.apply", "Commands given to consensus."),
    .sample("raft.commitTime", "Milliseconds from a command's arrival in the log to its application."),
    .gauge("raft.applied_index", "Index of the last log entry that was applied."),
    .gauge("raft.last_index", "Index of the last entry of the log."),
    .gauge("raft.leader.oldestLogAge", "Milliseconds since the oldest entry of the log was written."),
    .sample("raft.leader.lastContact", "Milliseconds since the leader heard of its followers."),
    .counter("raft.state.candidate", "Elections that this server began."),
    .counter("raft.state.leader", "Times that this server became the leader."),
    .gauge("server.isLeader", "1 on the leader, else 0."),
    .gauge("autopilot.healthy", "1 if all servers are healthy, else 0."),
    .gauge("autopilot.failure_tolerance", "Servers that may fail while the others can still decide."),
    .sample("leader.barrier", "Milliseconds that a new leader waits for what its predecessors left."),
    .sample("leader.reconcile", "Milliseconds that comparing the members with the catalog takes."),
    .sample("leader.reconcileMember", "Milliseconds that comparing one member with the catalog takes."),
    .sample("leader.reapTombstones", "Milliseconds that forgetting old tombstones takes."),
  ]

  private static let stateMachine: [MetricDefinition] = [
    .sample("fsm.register", "Milliseconds that applying a registration takes."),
    .sample("fsm.deregister", "Milliseconds that applying the end of a registration takes."),
    .sample("fsm.kvs", "Milliseconds that applying a change of a key takes, by operation."),
    .sample("fsm.session", "Milliseconds that applying a change of a session takes, by operation."),
    .sample("fsm.tombstone", "Milliseconds that applying a removal of tombstones takes, by operation."),
    .sample("fsm.coordinate.batch-update", "Milliseconds that applying a batch of coordinates takes."),
    .sample("fsm.txn", "Milliseconds that applying a transaction takes."),
    .sample("fsm.autopilot", "Milliseconds that applying a configuration of autopilot takes."),
    .sample("fsm.prepared-query", "Milliseconds that applying a change of a prepared query takes, by operation."),
    .sample("fsm.persist", "Milliseconds that writing a snapshot takes."),
  ]

  private static let rpc: [MetricDefinition] = [
    .counter("rpc.query", "Reads that this server received."),
    .gauge("rpc.queries_blocking", "Reads that wait for a change."),
    .gauge("grpc.server.streams", "Streams of events that this server serves."),
    .sample("rpc.consistentRead", "Milliseconds until the leader knows that it still leads."),
    .counter("rpc.request", "Requests that this server received from other agents."),
    .counter("rpc.request_error", "Requests of other agents that this server answered with an error."),
    .counter("rpc.accept_conn", "Connections that this server accepted."),
    .counter("rpc.cross-dc", "Reads that this server sent to other datacenters."),
    .counter("rpc.rate_limit.exceeded", "Requests above a rate of `limits.request_limits`."),
    .counter("rpc.rate_limit.log_dropped", "Log lines about such requests that were left out."),
  ]

  private static let state: [MetricDefinition] = [
    .gauge("state.nodes", "Nodes in the catalog."),
    .gauge("state.services", "Names of services in the catalog."),
    .gauge("state.service_instances", "Instances of services in the catalog."),
    .gauge("state.connect_instances", "Instances in the mesh, by kind."),
    .gauge("state.billable_service_instances", "Instances that are neither proxies nor servers of the cluster."),
    .gauge("state.kv_entries", "Keys in the store."),
    .gauge("state.config_entries", "Configuration entries, by kind."),
    .gauge("members.clients", "Client agents among the members."),
    .gauge("members.servers", "Servers among the members."),
  ]
}
