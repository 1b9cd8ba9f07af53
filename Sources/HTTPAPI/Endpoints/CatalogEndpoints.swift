import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/catalog/`: nodes and services as the servers know them.
extension Endpoints {
  private static let read: Endpoint.Traits = [.consistency, .metaOnFailure]

  static let catalog: [Endpoint] = [
    Endpoint("/v1/catalog/register", [], Route(.put, .servers, Catalog.register)),
    Endpoint("/v1/catalog/deregister", [], Route(.put, .servers, Catalog.deregister)),
    Endpoint("/v1/catalog/datacenters", [], Route(.get, .open, Catalog.datacenters)),
    Endpoint("/v1/catalog/nodes", read, Route(.get, .servers, Catalog.nodes)),
    Endpoint("/v1/catalog/services", read, Route(.get, .servers, Catalog.services)),
    Endpoint("/v1/catalog/service/", read, Route(.get, .servers, Catalog.service)),
    Endpoint("/v1/catalog/connect/", read, Route(.get, .servers, Catalog.connect)),
    Endpoint("/v1/catalog/node/", read, Route(.get, .servers, Catalog.node)),
    Endpoint("/v1/catalog/node-services/", read, Route(.get, .servers, Catalog.nodeServices)),
    Endpoint(
      "/v1/catalog/gateway-services/", read,
      Route(.get, .requires { _, request in .serviceRead(request.suffix) }, Catalog.gatewayServices)),
  ]
}

enum Catalog {
  // MARK: writes

  static func register(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let registration = try request.decode(RegisterRequest.self)
    exchange.write(CatalogRegister(registration), datacenter: registration.datacenter) { _ in exchange.bool(true) }
  }

  static func deregister(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let removal = try request.decode(DeregisterRequest.self, DecodingContext(.api))
    exchange.write(CatalogDeregister(removal), datacenter: removal.datacenter) { _ in exchange.bool(true) }
  }

  // MARK: lists

  static func datacenters(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let send: @Sendable ([String]) -> Void = { names in
      exchange.json(exchange.head()) { $0.array(names) { $0.string($1) } }
    }
    let control = api.control
    guard options.cache != nil else { return exchange.answer(control.datacenters(on: exchange.loop), send) }
    api.cache.read("Catalog.ListDatacenters", options, on: exchange.loop) { _, loop, answer in
      control.datacenters(on: loop).whenComplete { result in
        answer(result.map { Answer(value: $0, index: 1) }.mapError { $0 as? ServerError ?? .rejected("\($0)") })
      }
      return nil
    } completion: {
      exchange.takeCached($0) { send($0.value) }
    }
  }

  static func nodes(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let filter = try FilterParameter<Node>(request)
    exchange.read(CatalogNodes(selection: request.selection(exchange.api)), options) { answer in
      let found = filter.apply(to: answer.value) { $0.value }
      exchange.json(exchange.head(answer, options), .records, found) { $0.array(found) { $1.encodeJSON(&$0) } }
    }
  }

  static func services(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let services: CatalogServices
    do throws(FilterError) {
      services = try CatalogServices(nodeMeta: request.nodeMeta, filter: request.query["filter"] ?? "")
    } catch {
      throw HTTPError(error)
    }
    exchange.readCached(services, options) { answer in
      exchange.json(exchange.head(answer, options)) { writer in
        writer.beginObject()
        for service in answer.value {
          writer.member(service.name)
          writer.array(service.tags) { $0.string($1) }
        }
        writer.endObject()
      }
    }
  }

  // MARK: instances

  static func service(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try instances(request, exchange, connect: false)
  }

  static func connect(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try instances(request, exchange, connect: true)
  }

  private static func instances(
    _ request: borrowing Request, _ exchange: Exchange, connect: Bool
  ) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing service name") }
    let filter = try FilterParameter<ServiceNode>(request)
    let service = request.suffix
    let tags = request.query.all("tag")
    if Peers.isForeign(request) { return sendNothing(exchange, options) }
    let query = CatalogServiceNodes(
      service: service, tags: tags, connect: connect, selection: request.selection(exchange.api))
    exchange.readCached(query, options) { answer in
      let found = filter.apply(to: answer.value) { ServiceNode($0) }
      exchange.json(exchange.head(answer, options), .catalog, found) {
        $0.array(found) { ServiceNode($1).encodeJSON(&$0) }
      }
    }
  }

  /// What a peer that does not exist has: nothing, at the beginning of time.
  static func sendNothing(_ exchange: Exchange, _ options: QueryOptions) {
    _ = exchange.rights
    exchange.json(exchange.head(Answer(value: (), index: 1), options)) {
      $0.beginArray()
      $0.endArray()
    }
  }

  // MARK: one node

  static func node(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try nodeServices(request, exchange) { found, writer in
      guard let found else { return writer.null() }
      writer.beginObject()
      writer.member("Node")
      found.node.encodeJSON(&writer)
      writer.member("Services")
      writer.beginObject()
      for service in found.services.sorted(by: { bytewiseLess($0.value.id, $1.value.id) }) {
        writer.member(service.value.id)
        service.encodeJSON(&writer)
      }
      writer.endObject()
      writer.endObject()
    }
  }

  static func nodeServices(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try nodeServices(request, exchange) { found, writer in
      writer.beginObject()
      writer.member("Node")
      if let found { found.node.encodeJSON(&writer) } else { writer.null() }
      writer.member("Services")
      if let found, found.hasServices {
        writer.array(found.services) { $1.encodeJSON(&$0) }
      } else {
        writer.null()
      }
      writer.endObject()
    }
  }

  private static func nodeServices(
    _ request: borrowing Request, _ exchange: Exchange,
    _ encode: @escaping @Sendable (ShownNode?, inout JSONWriter) -> Void
  ) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing node name") }
    let filter = try FilterParameter<NodeService>(request)
    exchange.read(CatalogNodeServices(node: request.suffix), options) { answer in
      let shown = answer.value.map { found in
        ShownNode(
          node: found.node, services: filter.apply(to: found.services) { $0.value },
          hasServices: !found.services.isEmpty || answer.isFiltered)
      }
      exchange.json(exchange.head(answer, options)) { encode(shown, &$0) }
    }
  }

  /// A node with those of its services that are to be shown.
  private struct ShownNode {
    let node: Row<Node>
    let services: [Row<NodeService>]
    /// Whether it has any, shown or not: no list and an empty list look different.
    let hasServices: Bool
  }

  // MARK: gateways

  /// No gateway is bound to a service without configuration entries.
  static func gatewayServices(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing gateway name") }
    sendNothing(exchange, options)
  }
}

/// Other clusters that share services with this one.
enum Peers {
  /// Whether a request is about a peer's services instead of our own.
  static func isForeign(_ request: borrowing Request) -> Bool {
    !request.query.isEmpty && !(request.query["peer"] ?? "").isEmpty
  }
}
