import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/kv/`: single keys, lists of keys, locks.
extension Endpoints {
  static let kv: [Endpoint] = [
    Endpoint(
      "/v1/kv/", [],
      Route(.get, .servers(KV.readPermission), KV.get),
      Route(.put, .servers { _, request in .keyWrite(request.suffix) }, bodyLimit: .value, KV.put),
      Route(.delete, .servers(KV.deletePermission), KV.delete))
  ]
}

enum KV {
  /// One key needs its right; lists show what the token may see.
  static func readPermission(_ api: API, _ request: borrowing Request) -> Permission? {
    guard request.query.has("keys") || request.query.has("recurse") else { return .keyRead(request.suffix) }
    return api.settings.enableKeyListPolicy ? .keyList(request.suffix) : nil
  }

  static func deletePermission(_ api: API, _ request: borrowing Request) -> Permission? {
    request.query.has("recurse") ? .keyWritePrefix(request.suffix) : .keyWrite(request.suffix)
  }

  static func get(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    if request.query.has("keys") { return keys(request, options, exchange) }
    if request.query.has("recurse") { return list(request, options, exchange) }
    try requireKey(request)
    let raw = request.query.has("raw")
    exchange.read(KVGet(key: request.suffix), options) { answer in
      guard let entry = answer.value else { return exchange.empty(missing(answer, options, exchange)) }
      if raw {
        sendRaw(entry, answer, options, exchange)
      } else {
        exchange.json(exchange.head(answer, options)) { $0.array(CollectionOfOne(entry)) { $1.encodeJSON(&$0) } }
      }
    }
  }

  /// The value as it is, with the headers that keep browsers from running it.
  private static func sendRaw(
    _ entry: Row<KVEntry>, _ answer: Answer<Row<KVEntry>?>, _ options: QueryOptions, _ exchange: Exchange
  ) {
    var head = exchange.head(answer, options)
    head.contentType = .plain
    head.headers = [("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "sandbox")]
    entry.value.value.bytes.withUnsafeBytes { exchange.bytes(head, $0) }
  }

  private static func list(_ request: borrowing Request, _ options: QueryOptions, _ exchange: Exchange) {
    exchange.read(KVList(prefix: request.suffix), options) { answer in
      if answer.value.isEmpty { return exchange.empty(missing(answer, options, exchange)) }
      exchange.json(exchange.head(answer, options)) { $0.array(answer.value) { $1.encodeJSON(&$0) } }
    }
  }

  private static func keys(_ request: borrowing Request, _ options: QueryOptions, _ exchange: Exchange) {
    let prefix = request.suffix
    // The misspelling was part of the first releases and still works.
    let separator = request.query["separator"] ?? request.query["seperator"] ?? ""
    exchange.read(KVKeys(prefix: prefix, separator: separator), options) { answer in
      if answer.value.isEmpty, !prefix.isEmpty { return exchange.empty(missing(answer, options, exchange)) }
      exchange.json(exchange.head(answer, options)) { $0.array(answer.value) { $0.string($1) } }
    }
  }

  private static func missing<Reply>(
    _ answer: Answer<Reply>, _ options: QueryOptions, _ exchange: Exchange
  ) -> ResponseHead {
    var head = ResponseHead(.notFound, .none, meta: exchange.meta(answer, options))
    head.isFiltered = answer.isFiltered
    return head
  }

  static func put(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try requireKey(request)
    try refuseConflicts(request, ["cas", "acquire", "release"])
    var entry = KVEntry()
    entry.key = request.suffix
    entry.flags = try request.unsignedParameter("flags") ?? 0
    entry.value = Bytes(Array(request.body.readableBytesView))
    var op = KVOp.set
    if let index = try request.unsignedParameter("cas") {
      op = .cas
      entry.modifyIndex = index
    }
    if let session = request.query["acquire"] {
      op = .lock
      entry.session = session
    }
    if let session = request.query["release"] {
      op = .unlock
      entry.session = session
    }
    exchange.write(KVApply(op, entry), datacenter: request.datacenter) { exchange.bool($0) }
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try refuseConflicts(request, ["recurse", "cas"])
    var entry = KVEntry()
    entry.key = request.suffix
    var op = KVOp.delete
    if request.query.has("recurse") {
      op = .deleteTree
    } else {
      try requireKey(request)
    }
    if let index = try request.unsignedParameter("cas") {
      op = .deleteCAS
      entry.modifyIndex = index
    }
    exchange.write(KVApply(op, entry), datacenter: request.datacenter) { exchange.bool($0) }
  }

  private static func requireKey(_ request: borrowing Request) throws(HTTPError) {
    if request.suffix.isEmpty { throw .badRequest("Missing key name") }
  }

  /// At most one of `names` may be given. The text lists them the way Go encodes a query.
  private static func refuseConflicts(_ request: borrowing Request, _ names: [String]) throws(HTTPError) {
    let given = names.filter { request.query.has($0) }
    guard given.count > 1 else { return }
    let list = given.sorted().flatMap { name in
      request.query.all(name).map { "\(name)=\(PercentEncoding.encodeQuery($0))" }
    }
    throw .badRequest("Conflicting flags: \(list.joined(separator: "&"))\n")
  }
}
