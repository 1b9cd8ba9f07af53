import Model
import Synchronization

/// Something happened in a pool.
public enum MemberChange: Sendable, Equatable {
  /// Came, changed, failed, left or returned.
  case changed(ClusterMember)
  /// Gossip does not know the member any more.
  case forgotten(ClusterMember)
}

/// Who is in the pools of an agent, as gossip told last. Written by whoever runs gossip, read by everybody.
public final class MemberTable: Sendable {
  public enum Pool: Sendable { case lan, wan }

  private struct State {
    var lan: [String: ClusterMember] = [:]
    var wan: [String: ClusterMember] = [:]
    /// The servers among them, kept because every forwarded request asks for them.
    var lanServers: [ServerMember] = []
    var wanServers: [String: [ServerMember]] = [:]
    var distances: [String: Double] = [:]
    var observers: [@Sendable (MemberChange) -> Void] = []
    var forceLeave: (@Sendable (String) -> Void)?
  }

  public let datacenter: String
  private let state = Mutex(State())

  public init(datacenter: String) { self.datacenter = datacenter }

  // MARK: writing

  public func put(_ member: ClusterMember, in pool: Pool = .lan) { change(pool, .changed(member)) }

  public func forget(_ member: ClusterMember, in pool: Pool = .lan) { change(pool, .forgotten(member)) }

  private func change(_ pool: Pool, _ change: MemberChange) {
    let observers = state.withLock { state in
      switch pool {
      case .lan:
        Self.apply(change, to: &state.lan)
        state.lanServers = Self.servers(state.lan).filter { $0.datacenter == datacenter }
        return state.observers
      case .wan:
        Self.apply(change, to: &state.wan)
        let staying = Self.servers(state.wan).filter { $0.status != .left }
        state.wanServers = Dictionary(grouping: staying, by: \.datacenter)
        return []
      }
    }
    for observer in observers { observer(change) }
  }

  private static func apply(_ change: MemberChange, to members: inout [String: ClusterMember]) {
    switch change {
    case .changed(let member): members[member.name.folded] = member
    case .forgotten(let member): members[member.name.folded] = nil
    }
  }

  private static func servers(_ members: [String: ClusterMember]) -> [ServerMember] {
    members.values.compactMap { ServerMember($0) }.sorted { bytewiseLess($0.name, $1.name) }
  }

  /// Calls `observer` after every change in the LAN pool, on the thread that made it.
  public func observe(_ observer: @escaping @Sendable (MemberChange) -> Void) {
    state.withLock { $0.observers.append(observer) }
  }

  /// Says how gossip is told that a failed member will not come back.
  public func setForceLeave(_ action: @escaping @Sendable (_ name: String) -> Void) {
    state.withLock { $0.forceLeave = action }
  }

  /// Tells gossip that a failed member will not come back.
  func forceLeave(_ name: String) { state.withLock { $0.forceLeave }?(name) }

  // MARK: reading

  /// All members of a pool, by name.
  public func members(of pool: Pool = .lan) -> [ClusterMember] {
    state.withLock { pool == .lan ? Array($0.lan.values) : Array($0.wan.values) }
      .sorted { bytewiseLess($0.name, $1.name) }
  }

  public func member(named name: String, in pool: Pool = .lan) -> ClusterMember? {
    state.withLock { (pool == .lan ? $0.lan : $0.wan)[name.folded] }
  }

  /// The name of the LAN member with this node id.
  public func name(ofNode id: String) -> String? {
    state.withLock { $0.lan.values.first { $0.nodeID == id }?.name }
  }

  /// The servers of this datacenter, dead or alive, by name.
  public var servers: [ServerMember] { state.withLock { $0.lanServers } }

  /// The server with this id, wherever it says that it can be reached.
  public func server(id: String) -> ServerMember? { servers.first { $0.id == id } }

  /// The server that has this RPC address, of this datacenter or another.
  public func server(at address: String) -> ServerMember? {
    state.withLock { state in
      state.lanServers.first { $0.rpcAddress == address }
        ?? state.wanServers.values.lazy.joined().first { $0.rpcAddress == address }
    }
  }

  /// The servers of another datacenter that may be asked: those that are there, or should be.
  public func candidates(in datacenter: String) -> [ServerMember] {
    state.withLock { $0.wanServers[datacenter] ?? [] }
  }

  /// All datacenters that servers in the WAN pool belong to, in the order of their names. One whose servers fail stays: it
  /// is expected back.
  public var datacenters: [String] { state.withLock { $0.wanServers.keys.sorted(by: bytewiseLess) } }

  /// Seconds to the servers of other datacenters, as far as they are known.
  public var distances: [String: Double] { state.withLock { $0.distances } }

  public func setDistances(_ distances: [String: Double]) { state.withLock { $0.distances = distances } }
}
