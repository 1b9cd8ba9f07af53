import Model
import Synchronization

@testable import Server

/// The gossip of a datacenter with two members.
final class TestGossip: GossipServices {
  let datacenter: String
  let hasWAN = true
  private let state = Mutex((operations: [KeyringOperation](), events: [String]()))

  init(_ datacenter: String) { self.datacenter = datacenter }

  var operations: [KeyringOperation] { state.withLock { $0.operations } }
  var events: [String] { state.withLock { $0.events } }

  func keyring(_ operation: KeyringOperation, relayFactor: UInt8, wan: Bool) async -> KeyringResponse {
    state.withLock { $0.operations.append(operation) }
    var response = KeyringResponse()
    response.isWAN = wan
    response.datacenter = datacenter
    response.keys = ["k": 2]
    response.nodeCount = 2
    return response
  }

  func fire(event name: String, payload: [UInt8]) throws(ServerError) {
    state.withLock { $0.events.append("\(name) \(payload.count)") }
  }

  func datacenterMaps() async -> [DatacenterMap] {
    var map = DatacenterMap()
    map.datacenter = datacenter
    return [map]
  }
}
