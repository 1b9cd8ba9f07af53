import Server

/// The `near` parameter: the node whose neighbours come first.
extension Request {
  /// The address that the client really has, if a proxy told it.
  var sourceAddress: String {
    guard let forwarded = header(.forwardedFor), let first = forwarded.split(separator: ",").first else {
      return clientAddress
    }
    return String(first.filter { $0 != " " })
  }

  /// The nodes that the request selects, and which of them come first.
  func selection(_ api: API) -> NodeSelection {
    guard !query.isEmpty else { return NodeSelection() }
    let near = query["near"] ?? ""
    return NodeSelection(
      nodeMeta: nodeMeta, near: near == "_agent" ? api.control.nodeName : near,
      ip: near == "_ip" ? sourceAddress : "")
  }
}
