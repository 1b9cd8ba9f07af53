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
    try requireOwnDatacenter(api, request, exchange)
    exchange.json { $0.string(api.backend.leaderAddress) }
  }

  static func peers(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try requireOwnDatacenter(api, request, exchange)
    exchange.json { $0.array(api.backend.peerAddresses) { $0.string($1) } }
  }

  private static func requireOwnDatacenter(
    _ api: API, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if !options.datacenter.isEmpty, options.datacenter != api.backend.datacenter {
      throw HTTPError(ServerError.noPathToDatacenter(options.datacenter))
    }
    if api.backend.datacenters.isEmpty { throw HTTPError(ServerError.noServers) }
  }
}
