/// Finds the endpoint of a path: a tree of path segments.
struct Router: Sendable {
  enum Match: Equatable {
    /// The endpoint's index, and where the part of the path begins that its pattern leaves open.
    case endpoint(Int, suffix: Int)
    /// Only the same path with a slash at the end is an endpoint.
    case needsSlash
    case none
  }

  private struct Node {
    var children: [(segment: [UInt8], node: Int)] = []
    /// The endpoint of exactly this path.
    var exact: Int?
    /// The endpoint of everything below this path.
    var prefix: Int?
  }

  let endpoints: [Endpoint]
  private var nodes = [Node()]

  init(_ endpoints: [Endpoint]) {
    self.endpoints = endpoints
    for (index, endpoint) in endpoints.enumerated() {
      var node = 0
      for segment in endpoint.path.split(separator: "/") { node = child(of: node, Array(segment.utf8)) }
      if endpoint.path.hasSuffix("/") {
        precondition(nodes[node].prefix == nil, "\(endpoint.path) is there twice")
        nodes[node].prefix = index
      } else {
        precondition(nodes[node].exact == nil, "\(endpoint.path) is there twice")
        nodes[node].exact = index
      }
    }
  }

  private mutating func child(of node: Int, _ segment: [UInt8]) -> Int {
    if let found = nodes[node].children.first(where: { $0.segment == segment }) { return found.node }
    nodes.append(Node())
    nodes[node].children.append((segment, nodes.count - 1))
    return nodes.count - 1
  }

  /// Looks a cleaned path up, as it was written: escapes belong to names, not to the structure.
  func match(_ path: UnsafeRawBufferPointer) -> Match {
    guard path.first == UInt8(ascii: "/") else { return .none }
    var best = Match.none
    var node = 0
    var start = 1
    while start < path.count {
      var end = start
      while end < path.count, path[end] != UInt8(ascii: "/") { end &+= 1 }
      let segment = UnsafeRawBufferPointer(rebasing: path[start..<end])
      guard let child = nodes[node].children.first(where: { $0.segment.elementsEqual(segment) }) else { return best }
      node = child.node
      if end == path.count {
        if let exact = nodes[node].exact { return .endpoint(exact, suffix: end) }
        return nodes[node].prefix == nil ? best : .needsSlash
      }
      start = end + 1
      if let prefix = nodes[node].prefix { best = .endpoint(prefix, suffix: start) }
    }
    return best
  }
}
