import Model
import Server

/// `/v1/operator/keyring`: the keys that gossip is encrypted with.
enum KeyringEndpoints {
  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var wish = KeyringRequest(.list, token: exchange.token)
    wish.relayFactor = try relayFactor(request)
    wish.localOnly = try localOnly(request)
    perform(wish, api, exchange) { responses in
      exchange.json { $0.array(responses) { $1.encodeJSON(&$0) } }
    }
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
    var wish = KeyringRequest(operation(body.key), token: exchange.token)
    wish.relayFactor = try relayFactor(request)
    if try localOnly(request) {
      throw .badRequest("Invalid use of local-only: local-only can only be set for list requests")
    }
    perform(wish, api, exchange) { _ in exchange.empty() }
  }

  private static func perform(
    _ request: KeyringRequest, _ api: API, _ exchange: Exchange,
    _ done: @escaping @Sendable ([KeyringResponse]) -> Void
  ) {
    exchange.answer(api.control.keyring(request, on: exchange.loop)) { responses in
      if let problem = problem(responses) { exchange.fail(.server(problem)) } else { done(responses) }
    }
  }

  /// Everything that went wrong, pool by pool and member by member; nil if nothing did.
  private static func problem(_ responses: [KeyringResponse]) -> String? {
    let errors = responses.filter { !$0.error.isEmpty }.flatMap { response in
      let pool = response.isWAN ? "WAN" : "\(response.datacenter) (LAN)"
      return ["\(pool) error: \(response.error)"] + response.messages.map { "\($0.key): \($0.value)" }
    }
    if errors.isEmpty { return nil }
    let head = errors.count == 1 ? "1 error occurred:" : "\(errors.count) errors occurred:"
    return head + errors.map { "\n\t* \($0)" }.joined() + "\n\n"
  }

  /// How many members pass an answer on for those that cannot be reached directly.
  private static func relayFactor(_ request: borrowing Request) throws(HTTPError) -> UInt8 {
    guard let text = request.query["relay-factor"], !text.isEmpty else { return 0 }
    guard let factor = Int(text) else {
      throw .badRequest("Error parsing relay factor: strconv.Atoi: parsing \(text.goQuoted): invalid syntax")
    }
    guard (0...5).contains(factor) else {
      throw .badRequest("Invalid relay-factor: Relay factor must be in range: [0, 5]")
    }
    return UInt8(factor)
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
