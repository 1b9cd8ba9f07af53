import Model
import NIOCore
import Server
import Synchronization

@testable import HTTPAPI

/// An agent that only remembers what it was asked to do.
final class TestControl: AgentControl, Sendable {
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  private struct State {
    var calls: [String] = []
    var subscribers: [@Sendable (String) -> Void] = []
    var cancelled = 0
  }
  private let state = Mutex(State())

  let nodeName = "s1"
  let isServer = true
  var version: AgentVersion {
    var version = AgentVersion()
    version.human = "1.21.4"
    return version
  }
  func datacenterMaps(on loop: any EventLoop) -> EventLoopFuture<[DatacenterMap]> {
    var map = DatacenterMap()
    map.datacenter = "dc1"
    map.coordinates = [NodeCoordinate()]
    return loop.makeSucceededFuture([map])
  }
  func datacenters(on loop: any EventLoop) -> EventLoopFuture<[String]> { loop.makeSucceededFuture(["dc1"]) }
  func leaderAddress(in datacenter: String, on loop: any EventLoop) -> EventLoopFuture<String> {
    known("127.0.0.1:8300", in: datacenter, loop)
  }
  func peerAddresses(in datacenter: String, on loop: any EventLoop) -> EventLoopFuture<[String]> {
    known(["127.0.0.1:8300"], in: datacenter, loop)
  }
  private func known<Value: Sendable>(
    _ value: Value, in datacenter: String, _ loop: any EventLoop
  ) -> EventLoopFuture<Value> {
    ["", "dc1"].contains(datacenter)
      ? loop.makeSucceededFuture(value) : loop.makeFailedFuture(ServerError.noPathToDatacenter(datacenter))
  }
  func fireEvent(
    _ name: String, payload: [UInt8], datacenter: String, token: String, on loop: any EventLoop
  ) -> EventLoopFuture<Void> {
    datacenter == "dc2"
      ? note("fire \(name)", loop) : loop.makeFailedFuture(ServerError.noPathToDatacenter(datacenter))
  }
  func replicationStatus(_ options: QueryOptions, on loop: any EventLoop) -> EventLoopFuture<ACLReplicationStatus> {
    known(ACLReplicationStatus(), in: options.datacenter, loop)
  }
  func authorize(
    _ questions: [ACLAuthorizationRequest], _ options: QueryOptions, on loop: any EventLoop
  ) -> EventLoopFuture<[ACLAuthorizationResponse]> { known([], in: options.datacenter, loop) }
  func raftServers(_ options: QueryOptions, on loop: any EventLoop) -> EventLoopFuture<[RaftPeer]> {
    var peer = RaftPeer()
    peer.id = "id"
    return known([peer], in: options.datacenter, loop)
  }
  var calls: [String] { state.withLock { $0.calls } }
  var cancelledSubscriptions: Int { state.withLock { $0.cancelled } }

  func members(wan: Bool) -> [AgentMember]? {
    if wan { return nil }
    var member = AgentMember()
    member.name = "s1"
    member.tags = ["role": "consul"]
    member.status = 1
    return [member]
  }

  func describe(_ writer: inout JSONWriter) { named("Config", &writer) }
  func describeHost(_ writer: inout JSONWriter) { named("Host", &writer) }
  func streamMetrics(_ receive: @escaping @Sendable (String) -> Void) -> any LogSubscription {
    receive("{}")
    return monitor(level: "info", json: false) { _ in }
  }
  func autopilotState(_ options: QueryOptions, on loop: any EventLoop) -> EventLoopFuture<AutopilotState> {
    known(health, in: options.datacenter, loop)
  }
  private let health = AutopilotState().next(
    [
      {
        var server = ServerObservation(id: "a", address: "127.0.0.1:8300")
        server.name = "n1"
        server.nodeStatus = "alive"
        server.lastContact = .zero
        return server
      }()
    ], leader: "a", configuration: AutopilotConfiguration(), now: Timestamp(unixSeconds: 1_700_000_000))
  func removePeer(_ request: RaftRemovePeerRequest, on loop: any EventLoop) -> EventLoopFuture<Void> {
    loop.makeFailedFuture(ServerError.rejected("id \"\(request.id)\" was not found in the Raft configuration"))
  }
  func transferLeadership(to id: String, token: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
    id == "b" ? loop.makeSucceededVoidFuture() : loop.makeFailedFuture(ServerError.rejected("cannot find peer"))
  }
  func keyring(_ request: KeyringRequest, on loop: any EventLoop) -> EventLoopFuture<[KeyringResponse]> {
    let replies = [true, false].map { isWAN in
      var reply = KeyringResponse()
      reply.isWAN = isWAN
      reply.datacenter = "dc1"
      reply.keys = ["a=": 1, "b=": 1]
      reply.primaryKeys = ["a=": 1]
      reply.nodeCount = 1
      if request.operation == "remove", request.key == "a=" {
        reply.error = "1/1 nodes reported failure"
        reply.messages = ["s1": "Removing the primary key is not allowed"]
      }
      return reply
    }
    return loop.makeSucceededFuture(request.localOnly ? [replies[1]] : replies)
  }
  func describeMetrics(_ writer: inout JSONWriter) { named("Gauges", &writer) }
  let prometheusMetrics: String? = nil

  private func named(_ name: String, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member(name)
    writer.beginObject()
    writer.endObject()
    writer.endObject()
  }

  private func note(_ call: String, _ loop: any EventLoop) -> EventLoopFuture<Void> {
    state.withLock { $0.calls.append(call) }
    return loop.makeSucceededVoidFuture()
  }

  func join(_ address: String, wan: Bool, on loop: any EventLoop) -> EventLoopFuture<Void> {
    note("join \(address)\(wan ? " wan" : "")", loop)
  }
  func forceLeave(_ node: String, wan: Bool, prune: Bool, on loop: any EventLoop) -> EventLoopFuture<Void> {
    if node == "absent" {
      return loop.makeFailedFuture(Refusal(description: "agent: No node found with name 'absent'"))
    }
    return note("force-leave \(node)\(prune ? " prune" : "")", loop)
  }
  func leave(on loop: any EventLoop) -> EventLoopFuture<Void> { note("leave", loop) }
  func reload(on loop: any EventLoop) -> EventLoopFuture<Void> { note("reload", loop) }
  func setToken(_ kind: AgentTokenKind, _ token: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
    note("token \(kind.rawValue) \(token)", loop)
  }

  func monitor(
    level: String, json: Bool, _ receive: @escaping @Sendable (String) -> Void
  ) -> any LogSubscription {
    state.withLock { $0.subscribers.append(receive) }
    return Subscription(control: self)
  }

  func log(_ line: String) {
    for subscriber in state.withLock({ $0.subscribers }) { subscriber(line) }
  }

  private struct Subscription: LogSubscription {
    let control: TestControl
    func cancel() { control.state.withLock { $0.cancelled += 1 } }
  }
}
