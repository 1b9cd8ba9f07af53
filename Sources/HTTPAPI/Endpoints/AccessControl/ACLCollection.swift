import Model
import NIOCore
import Server
import State

/// What `/v1/acl/policy…`, `role…`, `auth-method…` and `binding-rule…` have in common: a collection is listed, and its items
/// are made, read, changed and deleted by a key in the path.
protocol ACLCollection: SendableMetatype {
  associatedtype Item: Record
  associatedtype List: ReadQuery where List.Reply == [Listed]
  /// An item as lists show it.
  associatedtype Listed: FieldValue
  associatedtype Read: ReadQuery where Read.Reply == Shown?
  /// An item as it is shown alone.
  associatedtype Shown: FieldValue
  associatedtype Change: WriteRequest where Change.Reply == Item
  associatedtype Deletion: WriteRequest

  /// An item in sentences, such as `binding rule`.
  static var noun: String { get }
  /// An item in errors about its body, such as `BindingRule`.
  static var bodyName: String { get }
  /// The key in errors: `ID` or `Name`.
  static var keyName: String { get }
  static func key(of item: Item) -> String
  static func setKey(_ key: String, of item: inout Item)
  /// Why a key can be nobody's.
  static func problem(with key: String) -> String?
  /// Why an item cannot be made with the key that its body gives it.
  static var refusalOfKey: HTTPError? { get }

  static func list(_ request: borrowing Request) -> List
  static func read(_ key: String) -> Read
  static func change(_ item: Item) -> Change
  static func deletion(_ key: String) -> Deletion
  /// Whether there was something to delete.
  static func isDeleted(_ reply: Deletion.Reply) -> Bool
}

extension ACLCollection {
  static var nothingToDelete: HTTPError { .notFound("Cannot find \(noun) to delete") }
  static var mismatch: HTTPError { .badRequest("\(bodyName) \(keyName) in URL and payload do not match") }
  static var refusalOfKey: HTTPError? { mismatch }
  static func problem(with key: String) -> String? { ACLIdentifiers.problem(key, table: noun) }

  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    exchange.read(list(request), options) { answer in
      exchange.json(exchange.head(answer, options)) { $0.array(answer.value) { $1.encodeJSON(&$0, []) } }
    }
  }

  static func read(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let key = try key(request)
    if let problem = problem(with: key) { return exchange.failRead(HTTPError.server(problem)) }
    send(read(key), try request.readOptions(exchange), exchange)
  }

  static func send(_ query: Read, _ options: QueryOptions, _ exchange: Exchange) {
    exchange.read(query, options) { answer in
      guard let item = answer.value else {
        return exchange.fail(.notFound("Requested \(noun) does not exist: ACL not found"))
      }
      exchange.json(exchange.head(answer, options)) { item.encodeJSON(&$0, []) }
    }
  }

  static func create(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let item = try ACL.decode(Item.self, request, what: bodyName)
    if let refusalOfKey, !key(of: item).isEmpty { throw refusalOfKey }
    write(item, request.datacenter, exchange)
  }

  static func update(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let key = try key(request)
    var item = try ACL.decode(Item.self, request, what: bodyName)
    let given = self.key(of: item)
    if !given.isEmpty, given != key { throw mismatch }
    setKey(key, of: &item)
    write(item, request.datacenter, exchange)
  }

  static func delete(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    exchange.write(deletion(try key(request)), datacenter: request.datacenter) { reply in
      isDeleted(reply) ? exchange.bool(true) : exchange.fail(nothingToDelete)
    }
  }

  private static func write(_ item: Item, _ datacenter: String, _ exchange: Exchange) {
    exchange.write(change(item), datacenter: datacenter) { stored in
      exchange.json { stored.encodeJSON(&$0) }
    }
  }

  private static func key(_ request: borrowing Request) throws(HTTPError) -> String {
    if request.suffix.isEmpty { throw .badRequest("Missing \(noun) \(keyName == "ID" ? "ID" : "name")") }
    return request.suffix
  }
}

/// Collections whose items have a name beside their id.
protocol NamedACLCollection: ACLCollection {
  static func read(named name: String) -> Read
}

extension NamedACLCollection {
  static func readByName(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    if request.suffix.isEmpty { throw .badRequest("Missing \(noun) Name") }
    send(read(named: request.suffix), try request.readOptions(exchange), exchange)
  }
}
