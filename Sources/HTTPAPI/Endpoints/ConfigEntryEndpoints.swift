import AccessControl
import Mesh
import Model
import Server

/// `/v1/config`: config entries.
extension Endpoints {
  static let configEntries: [Endpoint] = [
    Endpoint("/v1/config", [.metaOnFailure], Route(.put, .servers, ConfigEntries.apply)),
    Endpoint(
      "/v1/config/", [.metaOnFailure], Route(.get, .servers, ConfigEntries.read),
      Route(.delete, .servers, ConfigEntries.delete)),
  ]
}

enum ConfigEntries {
  /// `KIND` or `KIND/NAME`. Names may contain slashes.
  private static func target(_ request: borrowing Request) -> (kind: String, name: String?) {
    let parts = request.suffix.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    return (String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : nil)
  }

  static func read(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let (kindName, name) = target(request)
    let options = try request.readOptions(exchange)
    if kindName.isEmpty { return listAll(options, exchange) }
    guard let kind = ConfigEntryKind(rawValue: kindName) else {
      return exchange.failRead(HTTPError.server("invalid config entry kind: \(kindName)"))
    }
    guard let name else {
      let filter = request.query["filter"] ?? ""
      let choose = try ConfigEntryFilter.make(filter, kind)
      return exchange.read(ConfigEntryList(kind), options) { answer in
        send(choose(answer.value.entries), exchange.head(answer, options), exchange)
      }
    }
    exchange.read(ConfigEntryGet(kind, name), options) { answer in
      guard let entry = answer.value else {
        var head = exchange.head(answer, options)
        head.status = .notFound
        head.contentType = .text
        return exchange.text(head, "Config entry not found for \"\(kindName)\" / \"\(name)\"")
      }
      exchange.json(exchange.head(answer, options)) { entry.encodeJSON(&$0) }
    }
  }

  private static func listAll(_ options: QueryOptions, _ exchange: Exchange) {
    exchange.read(ConfigEntryListAll(ConfigEntryKind.allCases), options) { answer in
      send(answer.value, exchange.head(answer, options), exchange)
    }
  }

  private static func send(_ entries: [ConfigEntry], _ head: ResponseHead, _ exchange: Exchange) {
    exchange.json(head) { $0.array(entries) { $1.encodeJSON(&$0) } }
  }

  static func apply(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let failure = "Request decoding failed: "
    let body = try request.json(failure: failure)
    let entry: ConfigEntry
    do throws(ConfigEntryError) {
      entry = try ConfigEntry(body: body)
    } catch {
      throw .badRequest(failure + error.description)
    }
    let change = ConfigEntryApply(entry, expectedIndex: try request.unsignedParameter("cas"))
    exchange.write(change, datacenter: "") { exchange.bool($0) }
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let (kindName, name) = target(request)
    guard let name else { throw .notFound("Must provide both a kind and name to delete") }
    guard let kind = ConfigEntryKind(rawValue: kindName) else {
      throw .badRequest("invalid config entry kind: \(kindName)")
    }
    let expected = try request.unsignedParameter("cas")
    exchange.write(ConfigEntryDelete(kind, name, expectedIndex: expected), datacenter: "") { isDeleted in
      if expected != nil { return exchange.bool(isDeleted) }
      exchange.json { writer in
        writer.beginObject()
        writer.endObject()
      }
    }
  }
}

/// The `filter` of a list of config entries: what it may name depends on their kind.
enum ConfigEntryFilter {
  /// - Throws: the reason in the reference's words.
  static func make(
    _ expression: String, _ kind: ConfigEntryKind
  ) throws(HTTPError) -> @Sendable ([ConfigEntry]) -> [ConfigEntry] {
    if expression.isEmpty { return { $0 } }
    return try make(expression, kind.type)
  }

  private static func make<Kind: ConfigEntryRecord>(
    _ expression: String, _ kind: Kind.Type
  ) throws(HTTPError) -> @Sendable ([ConfigEntry]) -> [ConfigEntry] {
    do throws(FilterError) {
      let filter = try Filter<Kind>(expression)
      return { entries in entries.filter { $0.as(Kind.self).map { filter.matches($0) } ?? false } }
    } catch {
      throw HTTPError(error)
    }
  }
}
