import Wire

extension Resolver {
  /// Records that one alias may bring along.
  static var aliasRecordLimit: Int { 5 }
  /// Aliases of one answer that upstream servers are asked about.
  static var upstreamLimit: Int { 16 }

  /// The addresses, and the aliases on the way to them, of a name that a node or instance has for an address. Names of the
  /// zone are resolved here, others by upstream servers, if there are any. Whatever was asked for, addresses are
  /// IPv4 first: the reference asks for A.
  mutating func follow(_ name: DNSName, depth: Int) -> [AnswerRecord] {
    guard depth + 1 < Self.aliasDepth else { return [] }
    let question = DNSQuestion(name: name, type: .a)
    if let zone = configuration.zone(of: name) {
      return followWithin(zone, question, depth: depth + 1)
    }
    guard configuration.hasRecursors else { return [] }
    guard let records = context.upstream(name) else {
      if needs.count < Self.upstreamLimit { note(.upstream(name)) }
      return []
    }
    var found: [AnswerRecord] = []
    for record in records where found.count < Self.aliasRecordLimit {
      if let record = AnswerRecord(alias: record) { found.append(record) }
    }
    return found
  }

  private mutating func followWithin(_ zone: Zone, _ question: DNSQuestion, depth: Int) -> [AnswerRecord] {
    var nested = Resolver(
      configuration: configuration, context: context, client: client, now: now, answerLimit: Self.aliasRecordLimit,
      random: random, draft: AnswerDraft(), order: [])
    let code = nested.resolve(question, in: zone, depth: depth)
    random = nested.random
    for need in nested.needs { note(need) }
    failure = failure ?? nested.failure
    guard code == .noError else { return [] }
    return nested.draft.answers.prefix(Self.aliasRecordLimit).compactMap { record in
      switch record.data {
      case .address, .name(.cname, _):
        var record = record
        if record.owner == .question { record.owner = .name(question.name) }
        return record
      default:
        return nil
      }
    }
  }
}

extension AnswerRecord {
  /// An address or alias that an upstream server gave; nil for anything else.
  fileprivate init?(alias record: DNSRecord) {
    switch record.data {
    case .address(let address): data = .address(address)
    case .name(let name) where record.type == .cname: data = .name(.cname, .name(name))
    default: return nil
    }
    owner = .name(record.name)
    ttl = record.ttl
  }
}
