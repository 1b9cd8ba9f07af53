import Mesh
import Model
import State

// How config entries and intentions travel.

extension ConfigEntryKind {
  /// The kind of that name.
  /// - Throws: `ServerError.invalid` for a name that is none.
  public init(named name: String) throws(ServerError) {
    guard let kind = ConfigEntryKind(rawValue: name) else { throw .invalid("invalid config entry kind: \(name)") }
    self = kind
  }
}

extension ConfigEntryGet {
  public var request: ConfigEntryQuery {
    var request = ConfigEntryQuery()
    request.kind = kind.rawValue
    request.name = name
    return request
  }

  public init(request: ConfigEntryQuery) throws(ServerError) {
    self.init(try ConfigEntryKind(named: request.kind), request.name)
  }

  public static func response(_ reply: ConfigEntry?) -> ConfigEntryResponse {
    var response = ConfigEntryResponse()
    response.entry = reply
    return response
  }

  public static func reply(_ response: ConfigEntryResponse) -> ConfigEntry? { response.entry }
}

extension ConfigEntryList {
  public var request: ConfigEntryQuery {
    var request = ConfigEntryQuery()
    request.kind = kind.rawValue
    return request
  }

  public init(request: ConfigEntryQuery) throws(ServerError) {
    self.init(try ConfigEntryKind(named: request.kind))
  }

  public static func response(_ reply: ConfigEntryListing) -> IndexedConfigEntries {
    var response = IndexedConfigEntries()
    response.kind = reply.kind.rawValue
    response.entries = reply.entries
    return response
  }

  public static func reply(_ response: IndexedConfigEntries) -> ConfigEntryListing {
    ConfigEntryListing(
      kind: ConfigEntryKind(rawValue: response.kind) ?? .serviceDefaults, entries: response.entries)
  }
}

extension ConfigEntryListAll {
  public var request: ConfigEntryListAllRequest {
    var request = ConfigEntryListAllRequest()
    request.kinds = kinds.map(\.rawValue)
    return request
  }

  /// Kinds that are not known here have no entries.
  public init(request: ConfigEntryListAllRequest) {
    self.init(request.kinds.isEmpty ? ConfigEntryKind.allCases : request.kinds.compactMap(ConfigEntryKind.init))
  }

  public static func response(_ reply: [ConfigEntry]) -> IndexedGenericConfigEntries {
    var response = IndexedGenericConfigEntries()
    response.entries = reply
    return response
  }

  public static func reply(_ response: IndexedGenericConfigEntries) -> [ConfigEntry] { response.entries }
}

extension ConfigEntryApply {
  public var request: ConfigEntryRequest {
    var entry = entry
    entry.record.common.modifyIndex = expectedIndex ?? 0
    return ConfigEntryRequest(expectedIndex == nil ? .upsert : .upsertIfUnchanged, entry)
  }

  public init(request: ConfigEntryRequest) throws(ServerError) {
    switch ConfigEntryOp(rawValue: request.op) {
    case .upsert: self.init(request.entry)
    case .upsertIfUnchanged: self.init(request.entry, expectedIndex: request.entry.modifyIndex)
    default: throw .invalid("Invalid config entry operation \"\(request.op)\"")
    }
  }

  public func response(_ reply: Bool) -> Bool { reply }
  public func reply(_ response: Bool) -> Bool { response }
}

extension ConfigEntryDelete {
  public var request: ConfigEntryRequest {
    var record = kind.type.init()
    record.common.name = name
    record.common.modifyIndex = expectedIndex ?? 0
    return ConfigEntryRequest(expectedIndex == nil ? .delete : .deleteIfUnchanged, ConfigEntry(record))
  }

  public init(request: ConfigEntryRequest) {
    let isConditional = request.op == ConfigEntryOp.deleteIfUnchanged.rawValue
    self.init(
      request.entry.kind, request.entry.name, expectedIndex: isConditional ? request.entry.modifyIndex : nil)
  }

  public func response(_ reply: Bool) -> ConfigEntryDeleteResponse {
    var response = ConfigEntryDeleteResponse()
    response.deleted = reply
    return response
  }

  public func reply(_ response: ConfigEntryDeleteResponse) -> Bool { response.deleted }
}

// MARK: Intentions

extension IndexedIntentions {
  init(_ intentions: [Intention]) {
    self.init()
    self.intentions = intentions
    dataOrigin = "config"
  }
}

extension IntentionList {
  public var request: IntentionListRequest {
    var request = IntentionListRequest()
    request.legacy = isLegacy
    return request
  }

  public init(request: IntentionListRequest) {
    self.init()
    isLegacy = request.legacy
  }

  public static func response(_ reply: IntentionListing) -> IndexedIntentions {
    var response = IndexedIntentions(reply.intentions)
    if reply.isLegacy { response.dataOrigin = "legacy" }
    return response
  }

  public static func reply(_ response: IndexedIntentions) -> IntentionListing {
    IntentionListing(intentions: response.intentions, isLegacy: response.dataOrigin == "legacy")
  }
}

extension IntentionGet {
  static let notFound = "Intention not found"

  public var request: IntentionQueryRequest {
    var request = IntentionQueryRequest()
    switch name {
    case .id(let id): request.intentionID = id
    case .ends(let source, let destination):
      var exact = IntentionQueryExact()
      exact.sourceName = source
      exact.destinationName = destination
      request.exact = exact
    }
    return request
  }

  public init(request: IntentionQueryRequest) throws(ServerError) {
    if let exact = request.exact {
      self.init(.ends(source: exact.sourceName, destination: exact.destinationName))
    } else {
      if let problem = Self.problem(ofID: request.intentionID) { throw .invalid(problem) }
      self.init(.id(request.intentionID))
    }
  }

  /// Why no intention can have this id, in the words of the reference's table; nil if one could.
  public static func problem(ofID id: String) -> String? {
    PreparedQueryRules.problem(ofUUID: id).map { "failed config entry lookup: index error: \($0)" }
  }

  public static func response(_ reply: Intention?) throws(ServerError) -> IndexedIntentions {
    guard let reply else { throw .invalid(notFound) }
    return IndexedIntentions([reply])
  }

  public static func reply(_ response: IndexedIntentions) -> Intention? { response.intentions.first }
  public static func reply(error: String) -> Intention?? { error.hasSuffix(notFound) ? .some(nil) : nil }
}

extension IntentionMatch {
  public var request: IntentionQueryRequest {
    var match = IntentionQueryMatch()
    match.type = side.rawValue
    match.entries = services.map { service in
      var entry = IntentionMatchEntry()
      entry.name = service
      return entry
    }
    var request = IntentionQueryRequest()
    request.match = match
    return request
  }

  public init(request: IntentionQueryRequest) throws(ServerError) {
    guard let match = request.match, let side = IntentionSide(rawValue: match.type) else {
      throw .invalid("Invalid intention match type")
    }
    self.init(match.entries.map(\.name), as: side)
  }

  public static func response(_ reply: [[Intention]]) -> IndexedIntentionMatches {
    var response = IndexedIntentionMatches()
    response.matches = reply
    return response
  }

  public static func reply(_ response: IndexedIntentionMatches) -> [[Intention]] { response.matches }
}

extension IntentionCheck {
  public var request: IntentionQueryRequest {
    var check = IntentionQueryCheck()
    check.sourceName = source
    check.destinationName = destination
    var request = IntentionQueryRequest()
    request.check = check
    return request
  }

  public init(request: IntentionQueryRequest) throws(ServerError) {
    guard let check = request.check else { throw .invalid("Check must be specified on args") }
    if check.sourceType != "consul" { throw .invalid("unsupported SourceType: \"\(check.sourceType)\"") }
    self.init(source: check.sourceName, destination: check.destinationName)
  }

  public static func response(_ reply: Bool) -> IntentionQueryCheckResponse {
    var response = IntentionQueryCheckResponse()
    response.allowed = reply
    return response
  }

  public static func reply(_ response: IntentionQueryCheckResponse) -> Bool { response.allowed }
}

extension IntentionApply {
  public var request: IntentionRequest {
    var request = IntentionRequest()
    request.op = op.rawValue
    request.intention = intention
    return request
  }

  public init(request: IntentionRequest) throws(ServerError) {
    guard let op = IntentionOp(rawValue: request.op), op != .deleteAll else {
      throw .invalid("op \"\(request.op)\" is not supported")
    }
    guard let intention = request.intention else { throw .invalid("Must provide an intention") }
    self.init(op, intention)
  }

  public func response(_ reply: String) -> String { reply }
  public func reply(_ response: String) -> String { response }
}
