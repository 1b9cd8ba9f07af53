import Model
import NIOCore
import Server
import State

/// `/v1/internal/ui/`: nodes and services as the user interface wants them.
extension Endpoints {
  static let internalUI: [Endpoint] = [
    Endpoint("/v1/internal/ui/nodes", .metaOnFailure, Route(.get, .servers, InternalUI.nodes)),
    Endpoint("/v1/internal/ui/node/", .metaOnFailure, Route(.get, .servers, InternalUI.node)),
    Endpoint("/v1/internal/ui/services", .metaOnFailure, Route(.get, .servers, InternalUI.services)),
  ]
}

enum InternalUI {
  static func nodes(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let filter = try FilterParameter<Node>(request)
    exchange.read(NodeDetailsList(), options) { answer in
      let found = filter.apply(to: answer.value) { $0.node.value }
      exchange.json(exchange.head(answer, options)) { $0.array(found) { $1.encodeUI(&$0) } }
    }
  }

  static func node(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing node name") }
    exchange.read(NodeDetailsQuery(node: request.suffix), options) { answer in
      guard let found = answer.value else { return exchange.empty(ResponseHead(.notFound, .none)) }
      exchange.json(exchange.head(answer, options)) { found.encodeUI(&$0) }
    }
  }

  static func services(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let filter = try FilterParameter<HealthEntry>(request)
    let datacenter = options.datacenter.isEmpty ? api.backend.datacenter : options.datacenter
    exchange.read(ServiceDump(), options) { answer in
      let found = filter.apply(to: answer.value) { HealthEntry($0) }
      let summaries = UIServiceSummary.summaries(of: found, datacenter: datacenter)
      exchange.json(exchange.head(answer, options)) { $0.array(summaries) { $1.encodeJSON(&$0) } }
    }
  }
}

extension NodeDetails {
  /// The node without its datacenter and indexes. Missing tags are `null` here.
  fileprivate func encodeUI(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("ID")
    writer.string(node.value.id)
    writer.member("Node")
    writer.string(node.value.node)
    writer.member("Address")
    writer.string(node.value.address)
    writer.member("TaggedAddresses")
    node.value.taggedAddresses.encodeJSON(&writer, [])
    writer.member("Meta")
    node.value.meta.encodeJSON(&writer, [])
    writer.member("Services")
    writer.array(services) { $1.value.encodeJSONWithNullTags(&$0) }
    writer.member("Checks")
    writer.array(checks) { $1.value.encodeJSONWithNullTags(&$0) }
    writer.endObject()
  }
}
