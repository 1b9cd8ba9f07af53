import AccessControl
import Model
import State

/// What a prepared query found.
public struct PreparedQueryResult: Sendable {
  /// The query with the name put in where it is a template.
  public var query: PreparedQuery
  /// In the order of their nearness or, without a wish for one, in none.
  public var instances: [ServiceInstance] = []
  /// Where they are; "" where they are a peer's.
  public var datacenter = ""
  public var peer = ""
  /// How many other places were asked.
  public var failovers = 0
  /// Whether some were left out because the token may not see them.
  public var isFiltered = false
  /// Where to go on if nothing was found.
  var failover = QueryFailoverOptions()
}

/// Carries a prepared query out in one datacenter.
public struct PreparedQueryExecute: ReadQuery {
  public static let method = "PreparedQuery.Execute"

  public var idOrName: String
  /// At most so many instances; 0 means all.
  public var limit = 0
  /// Whether to ask for what speaks for the service in the mesh, whatever the query says.
  public var connect = false
  /// The agent that the request came to.
  public var agent: QuerySource
  /// The client.
  public var source: QuerySource
  /// Where the query is carried out.
  public var datacenter: String

  public init(_ idOrName: String, agent: QuerySource, source: QuerySource, datacenter: String) {
    self.idOrName = idOrName
    self.agent = agent
    self.source = source
    self.datacenter = datacenter
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Result<PreparedQueryResult, PreparedQueryError>> {
    evaluate(state, visibleTo: nil)
  }

  /// - Parameter reader: who asks; nil shows all.
  func evaluate(
    _ state: StateSnapshot, visibleTo reader: Reader?
  ) -> QueryResult<Result<PreparedQueryResult, PreparedQueryError>> {
    .immediate(
      PreparedQueryError.resolve(idOrName, agent, in: state).map { query in
        var result = ServiceSearch(query, connect: connect, datacenter: datacenter, reader).find(in: state)
        let near = near(query, in: state)
        result.instances = NodeSelection(near: near).apply(to: result.instances, in: state) { $0.node }
        if !near.isEmpty { result.bringForward(near) }
        if limit > 0 { result.instances = Array(result.instances.prefix(limit)) }
        result.failover = query.service.failover
        return result
      })
  }

  /// The node whose neighbours come first: what the client wants goes before what the query says. Distances are only known
  /// within a datacenter.
  private func near(_ query: PreparedQuery, in state: StateSnapshot) -> String {
    let origin = source.datacenter.isEmpty ? agent.datacenter : source.datacenter
    guard origin.isEmpty || origin == datacenter else { return "" }
    switch source.node.isEmpty ? query.service.near : source.node {
    case "_agent": return agent.node
    case "_ip":
      if source.ip.isEmpty { return "" }
      return state.nodes().value.first { $0.value.address == source.ip }?.value.node ?? ""
    case let node: return node
    }
  }
}

/// Carries a query out that another place resolved, on its failover.
public struct PreparedQueryExecuteRemote: ReadQuery {
  public static let method = "PreparedQuery.ExecuteRemote"
  public var query: PreparedQuery
  public var limit: Int
  public var connect: Bool
  public var datacenter: String

  public init(_ query: PreparedQuery, limit: Int, connect: Bool, datacenter: String) {
    self.query = query
    self.limit = limit
    self.connect = connect
    self.datacenter = datacenter
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<PreparedQueryResult> {
    evaluate(state, visibleTo: nil)
  }

  /// - Parameter reader: who asks; nil shows all.
  func evaluate(_ state: StateSnapshot, visibleTo reader: Reader?) -> QueryResult<PreparedQueryResult> {
    var result = ServiceSearch(query, connect: connect, datacenter: datacenter, reader).find(in: state)
    if limit > 0 { result.instances = Array(result.instances.prefix(limit)) }
    return .immediate(result)
  }
}

extension PreparedQueryResult {
  /// How far a node is looked for: coordinates put it near the beginning, if they are worth anything.
  private static let searchDepth = 10

  /// Puts a node that was asked to be near first: nothing is nearer to it than itself.
  fileprivate mutating func bringForward(_ node: String) {
    let place = instances.prefix(Self.searchDepth).firstIndex {
      $0.node.value.node.lowercased() == node.lowercased()
    }
    if let place, place > 0 { instances.swapAt(0, place) }
  }
}

/// Finds and filters the instances that a query wants.
private struct ServiceSearch {
  private let query: PreparedQuery
  private let connect: Bool
  private let datacenter: String
  /// Who looks at the results. Nil where all are shown.
  private let reader: Reader?
  /// Whether the query names a token that does not exist: nobody may see anything with it.
  private let isBlind: Bool
  private let wanted: [String]
  private let unwanted: [String]

  init(_ query: PreparedQuery, connect: Bool, datacenter: String, _ reader: Reader?) {
    self.query = query
    self.connect = connect || query.service.connect
    self.datacenter = datacenter
    self.reader = query.token.isEmpty ? reader : reader?.with(token: query.token)
    isBlind = reader != nil && self.reader == nil
    let tags = query.service.tags.map { $0.lowercased() }
    wanted = tags.filter { !$0.hasPrefix("!") }
    unwanted = tags.filter { $0.hasPrefix("!") }.map { String($0.dropFirst()) }
  }

  func find(in state: StateSnapshot) -> PreparedQueryResult {
    var result = PreparedQueryResult(query: query)
    result.peer = query.service.peer
    // No rows are imported from peers.
    guard query.service.peer.isEmpty else { return result }
    result.datacenter = datacenter
    let found = state.healthServiceNodes(query.service.service, connect: connect).value
    let matching = found.filter { isHealthy($0) && hasMeta($0) && hasTags($0) }
    let visible = matching.filter(isVisible)
    result.isFiltered = visible.count < matching.count
    result.instances = visible.shuffled()
    return result
  }

  private func isHealthy(_ instance: ServiceInstance) -> Bool {
    instance.checks.allSatisfy { check in
      let status = check.value.status
      if status == CheckStatus.passing.rawValue || query.service.ignoreCheckIDs.contains(check.value.checkID) {
        return true
      }
      return !query.service.onlyPassing && status != CheckStatus.critical.rawValue
    }
  }

  private func hasMeta(_ instance: ServiceInstance) -> Bool {
    instance.node.value.meta.contains(all: query.service.nodeMeta)
      && instance.service.value.meta.contains(all: query.service.serviceMeta)
  }

  private func hasTags(_ instance: ServiceInstance) -> Bool {
    if wanted.isEmpty, unwanted.isEmpty { return true }
    let tags = Set(instance.service.value.tags.map { $0.lowercased() })
    return wanted.allSatisfy(tags.contains) && !unwanted.contains(where: tags.contains)
  }

  private func isVisible(_ instance: ServiceInstance) -> Bool {
    !isBlind && reader.map { instance.isVisible(to: $0) } ?? true
  }
}
