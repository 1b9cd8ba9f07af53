import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/coordinate/`: where nodes lie in the network.
extension Endpoints {
  static let coordinates: [Endpoint] = [
    Endpoint("/v1/coordinate/datacenters", [], Route(.get, .open, Coordinates.datacenters)),
    Endpoint("/v1/coordinate/nodes", .metaOnFailure, Route(.get, .servers, Coordinates.nodes)),
    Endpoint("/v1/coordinate/update", [], Route(.put, .servers, Coordinates.update)),
    Endpoint("/v1/coordinate/node/", .metaOnFailure, Route(.get, .servers, Coordinates.node)),
  ]
}

enum Coordinates {
  private static func requireSupport(_ api: API) throws(HTTPError) {
    if !api.settings.coordinatesEnabled { throw HTTPError(.unauthorized, "Coordinate support disabled") }
  }

  static func datacenters(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try requireSupport(api)
    exchange.answer(api.control.datacenterMaps(on: exchange.loop)) { maps in
      exchange.json { $0.array(maps) { $1.encodeJSON(&$0) } }
    }
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try requireSupport(api)
    let coordinate = try request.decode(NodeCoordinate.self)
    exchange.write(CoordinateUpdate(coordinate), datacenter: request.datacenter) { _ in exchange.empty() }
  }

  static func nodes(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try requireSupport(api)
    let options = try request.readOptions(exchange)
    let filter = try FilterParameter<NodeCoordinate>(request)
    let segment = request.query["segment"]
    exchange.read(CoordinateNodes(), options) { answer in
      let found = filter.apply(to: answer.value.filter { $0.value.isIn(segment) }) { $0.value }
      exchange.json(exchange.head(answer, options)) { $0.array(found) { $1.encodeJSON(&$0) } }
    }
  }

  static func node(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try requireSupport(api)
    let options = try request.readOptions(exchange)
    let segment = request.query["segment"]
    exchange.read(CoordinateNode(node: request.suffix), options) { answer in
      let found = answer.value.filter { $0.value.isIn(segment) }
      if found.isEmpty { return exchange.empty(ResponseHead(.notFound, .none)) }
      exchange.json(exchange.head(answer, options)) { $0.array(found) { $1.encodeJSON(&$0) } }
    }
  }
}

extension NodeCoordinate {
  /// Without a wish, all segments do.
  fileprivate func isIn(_ segment: String?) -> Bool { segment == nil || segment == self.segment }
}
