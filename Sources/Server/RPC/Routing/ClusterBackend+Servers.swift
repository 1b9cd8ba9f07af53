import Model
import NIOCore
import Synchronization

/// What a client knows of the cluster besides who its servers are.
struct ClusterView: Sendable {
  var leader = ""
  var peers: [String] = []
  var datacenters: [String] = []
  /// When it was asked for last.
  var askedAt: NIODeadline?
}

extension ClusterBackend {
  /// How old what a client tells of the cluster may be before it asks again.
  private static let viewAge = TimeAmount.seconds(5)

  public var datacenters: [String] {
    if let server {
      return DatacenterOrder.sorted(
        server.members.datacenters, own: datacenter, distances: server.members.distances)
    }
    refreshView()
    let known = seenByClient.withLock { $0.datacenters }
    return known.isEmpty && servers.first != nil ? [datacenter] : known
  }

  public var leaderAddress: String {
    if let server { return server.leaderAddress }
    refreshView()
    return seenByClient.withLock { $0.leader }
  }

  public var peerAddresses: [String] {
    if let server { return server.peerAddresses }
    refreshView()
    return seenByClient.withLock { $0.peers }
  }

  /// Asks a server who leads, unless that is known well enough. A client that was never told says what it knows: nothing.
  func refreshView() {
    guard let address = servers.first else { return }
    let isDue = seenByClient.withLock { view in
      let now = NIODeadline.now()
      if let askedAt = view.askedAt, askedAt + Self.viewAge > now { return false }
      view.askedAt = now
      return true
    }
    guard isDue else { return }
    let own = ByteBuffer.messagePack(DCSpecificRequest())
    let loop = client.anyLoop
    client.call("Status.Leader", own, to: address, on: loop) { [self] result in
      keep(result) { (view, leader: String) in view.leader = leader }
    }
    client.call("Status.Peers", own, to: address, on: loop) { [self] result in
      keep(result) { (view, peers: RPCList<String>) in view.peers = peers.elements }
    }
    client.call("Catalog.ListDatacenters", .messagePack(DatacentersRequest()), to: address, on: loop) { [self] result in
      keep(result) { (view, names: RPCList<String>) in view.datacenters = names.elements }
    }
  }

  private func keep<Value: FieldValue>(
    _ result: Result<ByteBuffer, RPCError>, _ store: (inout ClusterView, Value) -> Void
  ) {
    switch result {
    case .success(let body):
      if let value = try? Value(decoding: body) { seenByClient.withLock { store(&$0, value) } }
    case .failure:
      if let address = servers.first { servers.failed(address) }
      seenByClient.withLock { $0.askedAt = nil }
    }
  }

  // MARK: Balance

  /// Begins to change the server that a client asks from time to time, so that agents stay spread over the servers.
  ///
  /// - Parameter nodeCount: how many nodes the cluster has, as far as is known: larger clusters change less often.
  public func startRebalancing(on loop: any EventLoop, nodeCount: @escaping @Sendable () -> Int) {
    guard server == nil else { return }
    // 64 changes per second and server at most (wire/rpc.md, section 5).
    let load = Double(nodeCount()) / Double(max(servers.addresses.count, 1)) * 0.015625
    let pause = max(Double.random(in: 120...180), load)
    loop.scheduleTask(in: .milliseconds(Int64(pause * 1000))) { [weak self] in
      guard let self else { return }
      tryOrder(servers.shuffled()[...], on: loop)
      startRebalancing(on: loop, nodeCount: nodeCount)
    }
  }

  /// Takes a new order over whose first server answers.
  private func tryOrder(_ order: ArraySlice<String>, on loop: any EventLoop, skipped: [String] = []) {
    guard let first = order.first else { return }
    client.call("Status.Ping", ByteBuffer(bytes: [0x80]), to: first, on: loop) { [self] result in
      if case .success = result {
        servers.adopt(Array(order) + skipped)
      } else {
        tryOrder(order.dropFirst(), on: loop, skipped: skipped + [first])
      }
    }
  }
}
