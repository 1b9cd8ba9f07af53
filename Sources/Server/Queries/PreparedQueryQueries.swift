import Model
import State

/// All prepared queries.
public struct PreparedQueryList: ReadQuery {
  public static let method = "PreparedQuery.List"

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<PreparedQuery>]> { state.preparedQueries() }
}

/// One prepared query, by its id. That there is none is an answer at once: nobody waits for it to appear.
public struct PreparedQueryGet: ReadQuery {
  public static let method = "PreparedQuery.Get"
  public var id: String

  public init(id: String) { self.id = id }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Row<PreparedQuery>?> {
    let found = state.preparedQuery(id)
    return found.value == nil ? .immediate(nil) : found
  }
}

/// What a name comes to, without carrying it out.
public struct PreparedQueryExplain: ReadQuery {
  public static let method = "PreparedQuery.Explain"
  public var idOrName: String
  public var agent: QuerySource

  public init(_ idOrName: String, agent: QuerySource) {
    self.idOrName = idOrName
    self.agent = agent
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Result<PreparedQuery, PreparedQueryError>> {
    .immediate(PreparedQueryError.resolve(idOrName, agent, in: state))
  }
}

/// Who asks, for queries whose answer depends on it.
public struct QuerySource: Sendable, Hashable {
  public var datacenter: String
  public var segment: String
  /// The node whose neighbours come first; "" leaves it to the query.
  public var node: String
  /// The client's address; "" where it is not known.
  public var ip: String

  public init(datacenter: String = "", segment: String = "", node: String = "", ip: String = "") {
    self.datacenter = datacenter
    self.segment = segment
    self.node = node
    self.ip = ip
  }
}

/// Why a query was not carried out.
public enum PreparedQueryError: Error, Equatable, CustomStringConvertible {
  case notFound
  /// A template makes no query of this name.
  case template(String)

  public var description: String {
    switch self {
    case .notFound: "Query not found"
    case .template(let reason): reason
    }
  }

  static func resolve(
    _ idOrName: String, _ agent: QuerySource, in state: StateSnapshot
  ) -> Result<PreparedQuery, PreparedQueryError> {
    do throws(StateError) {
      let query = try state.resolvePreparedQuery(idOrName, segment: agent.segment)
      return query.map { .success($0) } ?? .failure(.notFound)
    } catch {
      return .failure(.template(error.description))
    }
  }
}
