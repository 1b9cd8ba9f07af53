import Model

/// Walks over the nodes of a chain, replaces splits that lead to splitters by the splits of these, and keeps what is reached.
struct SplitterFlattening {
  private let chain: String
  private let nodes: [String: DiscoveryGraphNode]
  /// The keys of the nodes between the start and the one that is looked at.
  private var path: [String] = []
  private var flattened: [String: [DiscoverySplit]] = [:]
  /// Splits in `flattened`.
  private var count = 0
  /// The nodes that requests can get to when the splits are flattened.
  private(set) var reached: [String: DiscoveryGraphNode] = [:]

  init(chain: String, nodes: [String: DiscoveryGraphNode]) {
    self.chain = chain
    self.nodes = nodes
  }

  mutating func run(from start: String) throws(DiscoveryChainError) {
    guard let node = nodes[start], node.type == DiscoveryGraphNode.router else { return try reach(start) }
    reached[start] = node
    path = [start]
    for route in node.routes { try reach(route.nextNode) }
  }

  private mutating func reach(_ key: String) throws(DiscoveryChainError) {
    guard reached[key] == nil, var node = nodes[key] else { return }
    if node.type == DiscoveryGraphNode.splitter {
      node.splits = try splits(of: key)
      for split in node.splits { reached[split.nextNode] = nodes[split.nextNode] }
    }
    reached[key] = node
  }

  /// The splits of a splitter, none of which leads to a splitter. As deep as splitters are nested, which is limited.
  private mutating func splits(of key: String) throws(DiscoveryChainError) -> [DiscoverySplit] {
    guard !path.contains(key) else { throw .circularReference(path + [key]) }
    if let known = flattened[key] { return known }
    path.append(key)
    defer { path.removeLast() }
    var result: [DiscoverySplit] = []
    for split in nodes[key]?.splits ?? [] {
      if nodes[split.nextNode]?.type == DiscoveryGraphNode.splitter {
        result += try splits(of: split.nextNode).map { $0.behind(split) }
      } else {
        result.append(split)
      }
      guard count + result.count <= DiscoveryChainCompiler.maximumSplits else {
        throw .tooManySplits(chain: chain, limit: DiscoveryChainCompiler.maximumSplits)
      }
    }
    count += result.count
    flattened[key] = result
    return result
  }
}

extension DiscoverySplit {
  /// The split for requests that went through another one before.
  fileprivate func behind(_ outer: DiscoverySplit) -> DiscoverySplit {
    var split = self
    // Both weights are percentages, in steps of 0.01.
    split.weight = (outer.weight * weight).rounded() / 100
    guard let before = outer.definition else { return split }
    // A request passes the outer split first, an answer last: whoever comes last has the last word.
    split.definition?.requestHeaders = HTTPHeaderModifiers.merged(before.requestHeaders, definition?.requestHeaders)
    split.definition?.responseHeaders = HTTPHeaderModifiers.merged(definition?.responseHeaders, before.responseHeaders)
    return split
  }
}

extension HTTPHeaderModifiers {
  /// What has the effect of both, one after the other.
  fileprivate static func merged(_ first: HTTPHeaderModifiers?, _ second: HTTPHeaderModifiers?) -> HTTPHeaderModifiers?
  {
    guard var result = first, let second else { return first ?? second }
    for entry in second.add { result.add[entry.key] = entry.value }
    for entry in second.set { result.set[entry.key] = entry.value }
    result.remove += second.remove
    return result
  }
}
