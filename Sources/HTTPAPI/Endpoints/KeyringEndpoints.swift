import Model

/// What is to be done with the keys of gossip. Keys are in base64.
public enum KeyringOperation: Sendable, Equatable {
  case list
  /// Lets members decrypt with the key.
  case install(String)
  /// Encrypts with the key from now on.
  case use(String)
  case remove(String)

  public var key: String? {
    switch self {
    case .list: nil
    case .install(let key), .use(let key), .remove(let key): key
    }
  }
}

/// What the members of one pool answered.
public struct KeyringReply: Sendable {
  /// Whether the pool is that of all datacenters' servers.
  public var isWAN: Bool
  public var datacenter: String
  public var keys: [String] = []
  public var primary: String?
  /// Members that answered.
  public var memberCount = 1
  public var errors: [String] = []

  public init(isWAN: Bool, datacenter: String) {
    self.isWAN = isWAN
    self.datacenter = datacenter
  }
}

/// `/v1/operator/keyring`: the keys that gossip is encrypted with.
enum KeyringEndpoints {
  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try checkRelayFactor(request)
    let replies = try perform(.list, api, isLocalOnly: try localOnly(request))
    exchange.json { writer in
      writer.array(replies) { writer, reply in
        writer.beginObject()
        writer.member("WAN")
        writer.bool(reply.isWAN)
        writer.member("Datacenter")
        writer.string(reply.datacenter)
        writer.member("Segment")
        writer.string("")
        encode("Keys", reply.keys, reply, &writer)
        encode("PrimaryKeys", reply.primary.map { [$0] } ?? [], reply, &writer)
        writer.member("NumNodes")
        writer.integer(reply.memberCount)
        writer.endObject()
      }
    }
  }

  /// Keys and how many members have them.
  private static func encode(_ name: String, _ keys: [String], _ reply: KeyringReply, _ writer: inout JSONWriter) {
    writer.member(name)
    writer.beginObject()
    for key in keys.sorted(by: bytewiseLess) {
      writer.member(key)
      writer.integer(reply.memberCount)
    }
    writer.endObject()
  }

  static func install(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try change(api, request, exchange) { .install($0) }
  }

  static func use(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try change(api, request, exchange) { .use($0) }
  }

  static func remove(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try change(api, request, exchange) { .remove($0) }
  }

  private static func change(
    _ api: API, _ request: borrowing Request, _ exchange: Exchange, _ operation: (String) -> KeyringOperation
  ) throws(HTTPError) {
    let body = try request.decode(KeyringKey.self, DecodingContext(.api))
    try checkRelayFactor(request)
    if try localOnly(request) {
      throw .badRequest("Invalid use of local-only: local-only can only be set for list requests")
    }
    _ = try perform(operation(body.key), api, isLocalOnly: false)
    exchange.empty()
  }

  private static func perform(
    _ operation: KeyringOperation, _ api: API, isLocalOnly: Bool
  ) throws(HTTPError) -> [KeyringReply] {
    let replies = api.control.keyring(operation, isLocalOnly: isLocalOnly)
    let errors = replies.flatMap(\.errors)
    if errors.isEmpty { return replies }
    let head = errors.count == 1 ? "1 error occurred:" : "\(errors.count) errors occurred:"
    throw .server(head + errors.map { "\n\t* \($0)" }.joined() + "\n\n")
  }

  /// How many members pass an answer on for those that cannot be reached directly.
  private static func checkRelayFactor(_ request: borrowing Request) throws(HTTPError) {
    guard let text = request.query["relay-factor"], !text.isEmpty else { return }
    guard let factor = Int(text) else {
      throw .badRequest("Error parsing relay factor: strconv.Atoi: parsing \(text.goQuoted): invalid syntax")
    }
    guard (0...5).contains(factor) else {
      throw .badRequest("Invalid relay-factor: Relay factor must be in range: [0, 5]")
    }
  }

  private static func localOnly(_ request: borrowing Request) throws(HTTPError) -> Bool {
    guard let text = request.query["local-only"], !text.isEmpty else { return false }
    guard let value = GoBool(text) else {
      throw .badRequest("Error parsing local-only: strconv.ParseBool: parsing \(text.goQuoted): invalid syntax")
    }
    return value.isTrue
  }
}

/// The body of requests that change keys.
struct KeyringKey: Record {
  var key = ""

  init() {}

  static let schema = Schema<KeyringKey>("agent.keyringArgs") { $0.field("Key", \.key) }
}
