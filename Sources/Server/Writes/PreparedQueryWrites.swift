import AccessControl
import Model
import State

/// Creates, changes or deletes a prepared query.
public struct PreparedQueryApply: WriteRequest {
  public static let method = "PreparedQuery.Apply"
  /// What readers without the right to it see instead of a query's token.
  public static let hiddenToken = "<hidden>"

  public var op: PreparedQueryOp
  public var query: PreparedQuery

  public init(_ op: PreparedQueryOp, _ query: PreparedQuery) {
    self.op = op
    self.query = query
  }

  /// The answer is the query's id.
  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<String> {
    var query = query
    if op == .create {
      if !query.id.isEmpty { throw .invalid("ID must be empty when creating a new prepared query") }
      repeat { query.id = Identifier.random() } while context.state.preparedQuery(query.id).value != nil
    }
    try Self.requireRight(to: query, context)
    if op != .create { try Self.requireRight(to: try Self.existing(query.id, in: context.state).value, context) }
    if op != .delete {
      if let problem = PreparedQueryRules.problem(query) { throw .invalid("Invalid prepared query: \(problem)") }
    }
    var request = PreparedQueryRequest(op: op, query: query)
    request.datacenter = context.datacenter
    let id = query.id
    return .command(.preparedQuery(request)) { (result) throws(ServerError) in
      _ = try result.success(prefix: "raft apply failed: ")
      return id
    }
  }

  /// Queries that are only known by their id belong to whoever knows it.
  private static func requireRight(to query: PreparedQuery, _ context: WriteContext) throws(ServerError) {
    if query.hasName { try context.require(.queryWrite(query.name)) }
  }

  private static func existing(_ id: String, in state: StateSnapshot) throws(ServerError) -> Row<PreparedQuery> {
    if let problem = PreparedQueryRules.problem(ofID: id) {
      throw .invalid("Prepared Query lookup failed: \(problem)")
    }
    guard let row = state.preparedQuery(id).value else {
      throw .invalid("Cannot modify non-existent prepared query: '\(id)'")
    }
    return row
  }
}

extension PreparedQuery {
  /// Whether rules about names apply to the query: it has one, or is a template, whose name may be "".
  public var hasName: Bool { !name.isEmpty || isTemplate }
}

/// What must hold of a prepared query before it is logged.
public enum PreparedQueryRules {
  static func problem(_ query: PreparedQuery) -> String? {
    if !query.hasName, query.session.isEmpty { return "Must be bound to a session" }
    if query.token == PreparedQueryApply.hiddenToken {
      return "Bad Token '\(query.token)', it looks like a query definition with a redacted token was submitted"
    }
    return problem(query.service) ?? problem(query.dns)
  }

  private static func problem(_ service: ServiceQuery) -> String? {
    if service.service.isEmpty { return "Must provide a Service name to query" }
    let failover = service.failover
    if failover.nearestN < 0 { return "Bad NearestN '\(failover.nearestN)', must be >= 0" }
    if !failover.targets.isEmpty, failover.nearestN != 0 || !failover.datacenters.isEmpty {
      return "Targets cannot be populated with NearestN or Datacenters"
    }
    let meta = Dictionary(service.nodeMeta.map { ($0.key, $0.value) }) { first, _ in first }
    return NodeMetadata.problem(meta, allowsReserved: true)
  }

  private static func problem(_ dns: QueryDNSOptions) -> String? {
    guard !dns.ttl.isEmpty else { return nil }
    guard let ttl = GoDuration(dns.ttl) else { return "Bad DNS TTL '\(dns.ttl)': \(GoDuration.reason(dns.ttl))" }
    return ttl < .zero ? "DNS TTL '\(ttl.nanoseconds)', must be >=0" : nil
  }

  /// Why no query can have this id, in the words of the reference's table; nil if one could.
  public static func problem(ofID id: String) -> String? {
    problem(ofUUID: id).map { "failed prepared query lookup: index error: \($0)" }
  }

  static func problem(ofUUID id: String) -> String? {
    if id.utf8.count != 36 { return "UUID must be 36 characters" }
    let hyphens = id.utf8.count { $0 == UInt8(ascii: "-") }
    if hyphens > 4 { return "UUID should have maximum of 4 \"-\"; got \(hyphens)" }
    if (id.utf8.count - hyphens) % 2 != 0 { return "UUID must have an even number of hexadecimal digits" }
    let odd = id.unicodeScalars.first { $0 != "-" && !($0.isASCII && $0.properties.isASCIIHexDigit) }
    return odd.map { "Invalid UUID: encoding/hex: invalid byte: U+\(Self.code($0)) '\($0)'" }
  }

  private static func code(_ scalar: UnicodeScalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
