import Consensus
import Model
import State
import Synchronization
import Telemetry

/// What a server counts. Found once; counting goes straight to the counters.
enum ServerMetrics {
  private static let registry = MetricsRegistry.shared

  static let kvs = registry.sample("kvs.apply", isHot: true)
  static let register = registry.sample("catalog.register", isHot: true)
  static let deregister = registry.sample("catalog.deregister")
  static let session = registry.sample("session.apply")
  static let sessionRenewal = registry.sample("session.renew")
  static let sessionEnd = registry.sample("session_ttl.invalidate")
  static let transaction = registry.sample("txn.apply")
  static let transactionRead = registry.sample("txn.read")

  static let query = registry.counter("rpc.query", isHot: true)
  /// Requests of other agents, and those answered with an error.
  static let request = registry.counter("rpc.request", isHot: true)
  static let requestError = registry.counter("rpc.request_error")
  static let acceptedConnection = registry.counter("rpc.accept_conn")
  static let raftConnection = registry.counter("rpc.raft_handoff")
  /// Reads that went to another datacenter.
  static let crossDatacenter = LabelledCounter("rpc.cross-dc", label: "datacenter")
  /// Calls of a client's servers that its own limit held back, and those that failed.
  static let callsExceeded = registry.counter("client.rpc.exceeded")
  static let callsFailed = registry.counter("client.rpc.failed")
  static let consistentRead = registry.sample("rpc.consistentRead")
  static let verifyLeader = registry.counter("raft.verify_leader")
  static let serviceQuery = LabelledCounter("catalog.service.query", label: "service")
  static let serviceNotFound = LabelledCounter("catalog.service.not-found", label: "service")
  static let connectQuery = LabelledCounter("catalog.connect.query", label: "service")
  static let connectNotFound = LabelledCounter("catalog.connect.not-found", label: "service")

  static let apply = registry.counter("raft.apply", isHot: true)
  static let commitTime = registry.sample("raft.commitTime")
  static let machineApply = registry.sample("raft.fsm.apply")
  static let commitLogs = registry.gauge("raft.commitNumLogs")
  static let becameLeader = registry.counter("raft.state.leader")
  static let becameFollower = registry.counter("raft.state.follower")
  static let barrier = registry.counter("raft.barrier")
  static let reapTombstones = registry.sample("leader.reapTombstones")
  static let persist = registry.sample("fsm.persist")

  /// Reads that wait for a change, of all servers of the process.
  static let blockingQueries = Count()
  /// Streams of events that agents follow, of all servers of the process.
  static let streams = Count()

  // MARK: applied commands

  private static let machineRegister = registry.sample("fsm.register")
  private static let machineDeregister = registry.sample("fsm.deregister")
  private static let machineCoordinates = registry.sample("fsm.coordinate.batch-update")
  private static let machineTransaction = registry.sample("fsm.txn")
  private static let machineAutopilot = registry.sample("fsm.autopilot")
  private static let machineAuthority = operations(
    "fsm.ca", CARequest.Operation.allCases.map(\.rawValue))
  private static let machineLeaf = registry.sample("fsm.ca.leaf", [MetricLabel("op", CALeafRequest.incrementIndex)])
  private static let machineKeys = operations("fsm.kvs", KVOp.allCases.map(\.rawValue))
  private static let machineSession = operations("fsm.session", ["create", "destroy"])
  private static let machineTombstone = operations("fsm.tombstone", ["reap"])

  private static func operations(_ name: String, _ operations: [String]) -> [String: MetricSample] {
    Dictionary(uniqueKeysWithValues: operations.map { ($0, registry.sample(name, [MetricLabel("op", $0)])) })
  }

  /// Where the time that a command took is recorded.
  static func sample(_ command: Command) -> MetricSample? {
    switch command {
    case .register: machineRegister
    case .deregister: machineDeregister
    case .kvs(let request): machineKeys[request.op]
    case .session(let request): machineSession[request.op]
    case .tombstone(let request): machineTombstone[request.op]
    case .coordinates: machineCoordinates
    case .txn: machineTransaction
    case .autopilot: machineAutopilot
    case .certificateAuthority(let request): machineAuthority[request.op]
    case .leafIndex: machineLeaf
    default: nil
    }
  }

  /// A number that many threads change.
  final class Count: Sendable {
    private let number = Atomic<Int>(0)
    var value: Int { number.load(ordering: .relaxed) }
    func add(_ change: Int) { number.wrappingAdd(change, ordering: .relaxed) }
  }
}

extension ServerNode {
  /// Sets the gauges that show how the server and what it keeps stand.
  public func collectMetrics(into registry: MetricsRegistry) {
    let status = raft.currentStatus
    registry.gauge("raft.applied_index").set(Double(status.appliedIndex))
    registry.gauge("raft.last_index").set(Double(status.lastLogIndex))
    registry.gauge("raft.peers").set(Double(status.latestConfiguration.servers.count))
    registry.gauge("server.isLeader").set(isLeader ? 1 : 0)
    registry.gauge("rpc.queries_blocking").set(Double(ServerMetrics.blockingQueries.value))
    registry.gauge("grpc.server.streams", [MetricLabel("server_type", "internal")])
      .set(Double(ServerMetrics.streams.value))
    registry.gauge("session_ttl.active").set(Double(leader.sessions.activeCount))
    collectStateMetrics(into: registry)
  }

  private func collectStateMetrics(into registry: MetricsRegistry) {
    let datacenter = [MetricLabel("datacenter", settings.datacenter)]
    let snapshot = store.current
    let usage = snapshot.usage()
    registry.gauge("state.nodes", datacenter).set(Double(usage.nodes))
    registry.gauge("state.services", datacenter).set(Double(usage.services))
    registry.gauge("state.service_instances", datacenter).set(Double(usage.serviceInstances))
    registry.gauge("state.kv_entries", datacenter).set(Double(usage.kvEntries))
    for kind in UsageCounts.meshKinds {
      registry.gauge("state.connect_instances", datacenter + [MetricLabel("kind", kind)])
        .set(Double(usage.instancesByKind[kind] ?? 0))
    }
    let servers = snapshot.serviceNodes("consul", tags: []).value.count
    registry.gauge("state.billable_service_instances", datacenter)
      .set(Double(usage.billableInstances(servers: servers)))
  }
}
