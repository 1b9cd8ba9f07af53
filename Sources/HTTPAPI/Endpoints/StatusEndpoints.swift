import NIOCore
import Server

/// `/v1/status/`: who leads.
extension Endpoints {
  static let status: [Endpoint] = [
    Endpoint("/v1/status/leader", [], Route(.get, .open, Status.leader)),
    Endpoint("/v1/status/peers", [], Route(.get, .open, Status.peers)),
  ]
}

enum Status {
  static func leader(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let datacenter = try request.readOptions(exchange).datacenter
    exchange.answer(api.control.leaderAddress(in: datacenter, on: exchange.loop)) { address in
      exchange.json { $0.string(address) }
    }
  }

  static func peers(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let datacenter = try request.readOptions(exchange).datacenter
    exchange.answer(api.control.peerAddresses(in: datacenter, on: exchange.loop)) { addresses in
      exchange.json { $0.array(addresses) { $0.string($1) } }
    }
  }
}
