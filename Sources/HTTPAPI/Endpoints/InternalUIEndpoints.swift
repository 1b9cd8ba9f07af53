import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/internal/ui/`: nodes and services as the user interface wants them.
extension Endpoints {
  static let internalUI: [Endpoint] = [
    Endpoint("/v1/internal/ui/nodes", .metaOnFailure, Route(.get, .asks, InternalUI.nodes)),
    Endpoint("/v1/internal/ui/node/", .metaOnFailure, Route(.get, .asks, InternalUI.node)),
    Endpoint("/v1/internal/ui/services", .metaOnFailure, Route(.get, .asks, InternalUI.services)),
  ]
}

enum InternalUI {
  static func nodes(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let filter = try FilterParameter<Node>(request)
    let rights = exchange.rights
    exchange.read(NodeDetailsList(), options) { answer in
      let visible = Visible(answer.value, rights) { [.nodeRead($0.node.value.node)] }
      var head = exchange.head(answer, options)
      head.isFiltered = visible.isFiltered
      let found = filter.apply(to: visible.elements) { $0.node.value }
      exchange.json(head) { $0.array(found) { $1.encodeUI(&$0, rights) } }
    }
  }

  static func node(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.suffix.isEmpty { throw .badRequest("Missing node name") }
    let rights = exchange.rights
    exchange.read(NodeDetailsQuery(node: request.suffix), options) { answer in
      guard let found = answer.value, rights.allows(.nodeRead(found.node.value.node)) else {
        return exchange.empty(ResponseHead(.notFound, .none))
      }
      exchange.json(exchange.head(answer, options)) { found.encodeUI(&$0, rights) }
    }
  }

  static func services(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let filter = try FilterParameter<HealthEntry>(request)
    let datacenter = options.datacenter.isEmpty ? api.backend.datacenter : options.datacenter
    let rights = exchange.rights
    exchange.read(ServiceDump(), options) { answer in
      let visible = Visible(answer.value, rights) { $0.readPermissions }
      var head = exchange.head(answer, options)
      head.isFiltered = visible.isFiltered
      let found = filter.apply(to: visible.elements) { HealthEntry($0) }
      let summaries = UIServiceSummary.summaries(of: found, datacenter: datacenter)
      exchange.json(head) { $0.array(summaries) { $1.encodeJSON(&$0) } }
    }
  }
}

extension NodeDetails {
  /// The node without its datacenter and indexes, and what of it the reader may see. Missing tags are `null` here.
  fileprivate func encodeUI(_ writer: inout JSONWriter, _ rights: Rights) {
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
    let services = Visible(services, rights) { [.serviceRead($0.value.service)] }.elements
    writer.array(services) { $1.value.encodeJSONWithNullTags(&$0) }
    writer.member("Checks")
    let checks = Visible(checks, rights) { $0.value.readPermissions }.elements
    writer.array(checks) { $1.value.encodeJSONWithNullTags(&$0) }
    writer.endObject()
  }
}
