import Consensus
import Dispatch
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// The transport of consensus: connections to the other servers, one per server and lane, and those from them (wire/raft.md,
/// part A). Requests on one connection are answered in order; they follow each other without waiting.
public final class RaftConnections: RaftTransport {
  public struct Settings: Sendable {
    /// How long a request, or opening a connection, may take.
    public var timeout = TimeAmount.seconds(10)
    /// Where connections come from; nil leaves it to the system.
    public var localAddress: String?
    /// How connections to an address are secured before anything is sent; nil for those in clear.
    public var upgrade: @Sendable (_ address: String) -> RPCClient.Upgrade? = { _ in nil }
    /// Where a server is now, by what gossip knows; nil for the address of the configuration.
    public var addressOf: @Sendable (ServerID) -> ServerAddress? = { _ in nil }

    public init() {}
  }

  private struct Lane: Hashable {
    var address: ServerAddress
    var lane: RaftLane
  }

  private struct State {
    var isStopped = false
    var dialled: [Lane: RaftDialler] = [:]
    /// Connections from each server.
    var accepted: [ServerID: Int] = [:]
    var channels: [ObjectIdentifier: any Channel] = [:]
  }

  let settings: Settings
  /// Who this server is, for answers.
  let own: RaftHeader
  private let group: any EventLoopGroup
  private let state = Mutex(State())
  private let connected = Mutex<(any RaftReceiver)?>(nil)

  public init(
    id: ServerID, address: ServerAddress, group: any EventLoopGroup, settings: Settings = Settings()
  ) {
    own = RaftHeader(id: id, address: address)
    self.group = group
    self.settings = settings
  }

  public func start(_ receiver: any RaftReceiver) { connected.withLock { $0 = receiver } }

  var receiver: (any RaftReceiver)? { connected.withLock { $0 } }

  // MARK: To other servers

  public func send(
    _ request: RaftRequest, from: RaftHeader, to: RaftServer, lane: RaftLane,
    completion: @escaping @Sendable (Result<RaftResponse, PeerFailure>) -> Void
  ) {
    let key = Lane(address: settings.addressOf(to.id) ?? to.address, lane: lane)
    let dialler = state.withLock { state -> RaftDialler? in
      if state.isStopped { return nil }
      if let known = state.dialled[key] { return known }
      let new = RaftDialler(to: key.address, on: group.next(), settings)
      state.dialled[key] = new
      return new
    }
    guard let dialler else { return completion(.failure(.unreachable("the transport is stopped"))) }
    dialler.send(RaftOutgoing(request, from: from, completion))
  }

  /// Snapshots have a connection of their own, which is not used again.
  public func sendSnapshot(
    _ request: InstallSnapshotRequest, content: any SnapshotContent, from: RaftHeader, to: RaftServer,
    completion: @escaping @Sendable (Result<RaftResponse, PeerFailure>) -> Void
  ) {
    if state.withLock({ $0.isStopped }) { return completion(.failure(.unreachable("the transport is stopped"))) }
    let dialler = RaftDialler(to: settings.addressOf(to.id) ?? to.address, on: group.next(), settings)
    dialler.send(
      RaftOutgoing(.installSnapshot(request), from: from, content: content) { result in
        dialler.close()
        completion(result)
      })
  }

  // MARK: From other servers

  /// The handler of a connection that another server opened.
  func acceptor(on channel: any Channel) -> RaftAcceptor {
    let id = ObjectIdentifier(channel)
    let isStopped = state.withLock { state in
      if !state.isStopped { state.channels[id] = channel }
      return state.isStopped
    }
    if isStopped { channel.close(promise: nil) }
    channel.closeFuture.whenComplete { [weak self] _ in self?.state.withLock { $0.channels[id] = nil } }
    return RaftAcceptor(self, on: channel)
  }

  func entered(_ peer: ServerID) { state.withLock { $0.accepted[peer, default: 0] += 1 } }

  /// A connection from a server is gone. With the last one, so may be the server: its process ended, or its machine said so.
  func left(_ peer: ServerID) {
    let isLast = state.withLock { state in
      let left = (state.accepted[peer] ?? 1) - 1
      state.accepted[peer] = left > 0 ? left : nil
      return left <= 0 && !state.isStopped
    }
    if isLast { receiver?.connectionLost(peer) }
  }

  // MARK: End

  public func stop() {
    let (diallers, channels) = state.withLock { state in
      state.isStopped = true
      defer {
        state.dialled = [:]
        state.channels = [:]
      }
      return (Array(state.dialled.values), Array(state.channels.values))
    }
    for dialler in diallers { dialler.close() }
    for channel in channels { channel.close(promise: nil) }
  }
}

/// A request on its way to another server.
struct RaftOutgoing: Sendable {
  var request: RaftRequest
  var from: RaftHeader
  /// What follows the request.
  var content: (any SnapshotContent)?
  var completion: @Sendable (Result<RaftResponse, PeerFailure>) -> Void

  init(
    _ request: RaftRequest, from: RaftHeader, content: (any SnapshotContent)? = nil,
    _ completion: @escaping @Sendable (Result<RaftResponse, PeerFailure>) -> Void
  ) {
    self.request = request
    self.from = from
    self.content = content
    self.completion = completion
  }

  /// How long the answer may take, as a multiple of the usual time: large snapshots take longer.
  var patience: Int64 {
    guard case .installSnapshot(let install) = request else { return 1 }
    return max(install.size / (256 << 10), 1)
  }
}
