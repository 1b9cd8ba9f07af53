import Model
import Server

/// The `near` parameter: the node whose neighbours come first.
extension Request {
  /// The name of the node, or nil when it has to be looked up by the client's address (`near=_ip`).
  func near(_ api: API) -> String? {
    guard !query.isEmpty, let near = query["near"] else { return "" }
    switch near {
    case "_agent": return api.control.nodeName
    case "_ip": return nil
    default: return near
    }
  }

  /// The address that the client really has, if a proxy told it.
  var sourceAddress: String {
    guard let forwarded = header(.forwardedFor), let first = forwarded.split(separator: ",").first else {
      return clientAddress
    }
    return String(first.filter { $0 != " " })
  }

  /// Runs `body` with the nodes that the request selects, after looking up who asks where it says `near=_ip`.
  func withSelection(
    _ exchange: Exchange, _ options: QueryOptions, _ body: @escaping @Sendable (NodeSelection) -> Void
  ) {
    let meta = nodeMeta
    if let near = near(exchange.api) { return body(NodeSelection(nodeMeta: meta, near: near)) }
    let address = sourceAddress
    var lookup = options
    lookup.minIndex = 0
    exchange.pending = exchange.api.backend.query(CatalogNodes(), lookup, on: exchange.loop) { result in
      switch result {
      case .failure(let error): exchange.failRead(error)
      case .success(let answer):
        let node = answer.value.first { $0.value.address == address }
        body(NodeSelection(nodeMeta: meta, near: node?.value.node ?? ""))
      }
    }
  }
}
