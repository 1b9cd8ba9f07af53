import Model
import Synchronization

/// What is to be done with the keys of gossip. Keys are in base64.
public enum KeyringOperation: Sendable, Equatable {
  case list
  /// Lets members decrypt with the key.
  case install(String)
  /// Encrypts with the key from now on.
  case use(String)
  case remove(String)

  /// - Returns: nil for a name that means no operation.
  public init?(name: String, key: String) {
    switch name {
    case "list": self = .list
    case "install": self = .install(key)
    case "use": self = .use(key)
    case "remove": self = .remove(key)
    default: return nil
    }
  }

  public var name: String {
    switch self {
    case .list: "list"
    case .install: "install"
    case .use: "use"
    case .remove: "remove"
    }
  }

  public var key: String? {
    switch self {
    case .list: nil
    case .install(let key), .use(let key), .remove(let key): key
    }
  }
}

/// What requests ask of the gossip of their agent.
public protocol GossipServices: Sendable {
  /// Whether this agent is in the pool of all datacenters' servers.
  var hasWAN: Bool { get }
  /// Asks all members of a pool for their keys, or changes them.
  ///
  /// - Parameter relayFactor: How many other members repeat each answer.
  func keyring(_ operation: KeyringOperation, relayFactor: UInt8, wan: Bool) async -> KeyringResponse
  /// Sends an encoded user event to all agents of the datacenter.
  ///
  /// - Throws: `ServerError.invalid` for one that is too large.
  func fire(event name: String, payload: [UInt8]) throws(ServerError)
  /// Where the servers of all datacenters are in the network's latency space, by datacenter.
  func datacenterMaps() async -> [DatacenterMap]
}

/// The gossip of this agent, which starts after the parts that use it were made.
public final class GossipPlace: Sendable {
  private let services = Mutex<(any GossipServices)?>(nil)

  public init() {}

  public func set(_ services: any GossipServices) { self.services.withLock { $0 = services } }

  /// Nil before gossip runs.
  var current: (any GossipServices)? { services.withLock { $0 } }
}

/// Which datacenters are near.
public enum DatacenterOrder {
  /// - Parameters:
  ///   - own: The datacenter of this server: nothing is nearer.
  ///   - distances: Seconds to the others, as far as they are known. The rest comes last, in the order of names.
  static func sorted(_ names: [String], own: String, distances: [String: Double]) -> [String] {
    [own]
      + names.filter { $0 != own }.sorted { first, second in
        let (a, b) = (distances[first] ?? .infinity, distances[second] ?? .infinity)
        return a == b ? bytewiseLess(first, second) : a < b
      }
  }

  /// The median distance to the servers of each datacenter, in seconds.
  public static func distances(_ maps: [DatacenterMap], from origin: Coordinate) -> [String: Double] {
    var medians: [String: Double] = [:]
    for map in maps {
      let all = map.coordinates.compactMap { $0.coord?.distance(to: origin) }.filter(\.isFinite).sorted()
      if !all.isEmpty { medians[map.datacenter] = all[all.count / 2] }
    }
    return medians
  }
}
