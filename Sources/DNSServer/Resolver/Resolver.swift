import Model
import State
import Wire

/// What the resolver makes of a query.
enum Resolution: Equatable {
  /// The draft holds the answer.
  case answer(DNSResponseCode)
  /// Not ours: upstream servers are to be asked, with the query as it came.
  case forward
  /// Ours, but these must be known before the query can be resolved again.
  case needs([ResolverNeed])
  /// The catalog cannot be read.
  case failed(String)
}

/// Something the resolver must be told before it can go on.
enum ResolverNeed: Hashable {
  case catalog(CatalogLookup)
  /// What upstream servers say about the addresses of a name.
  case upstream(DNSName)
}

/// What surrounds a query: everything the resolver may look at besides the query itself.
protocol ResolverContext {
  /// The answer to a lookup; nil if it is not known yet.
  func find(_ lookup: CatalogLookup) -> CatalogAnswer?
  /// The addresses and aliases that upstream servers gave for a name; nil if they were not asked yet, empty if they do
  /// not know or do not answer.
  func upstream(_ name: DNSName) -> [DNSRecord]?
}

/// Turns a query into a draft of its answer. Pure: time, chance and knowledge are passed in. If something is missing the
/// query is resolved once more, from the start, when it is there.
struct Resolver<Context: ResolverContext, Random: RandomNumberGenerator> {
  let configuration: ResolverConfiguration
  let context: Context
  /// Who asks: the client's subnet or address.
  let client: DNSAddress?
  /// Seconds since 1970, the serial number of SOA.
  let now: UInt32
  /// More answers than these would be cut off anyway.
  let answerLimit: Int
  var random: Random
  var draft: AnswerDraft
  /// The order in which instances are answered, used again from query to query.
  var order: [Int]
  var needs: [ResolverNeed] = []
  var failure: String?
  /// Whether the answer depends on who asks.
  var dependsOnClient = false

  /// Aliases that lead to further aliases are followed this deep.
  static var aliasDepth: Int { 3 }

  mutating func resolve(_ question: DNSQuestion) -> Resolution {
    draft.removeAll()
    let resolution = resolve(question, depth: 0)
    if let failure { return .failed(failure) }
    return needs.isEmpty ? resolution : .needs(needs)
  }

  private mutating func resolve(_ question: DNSQuestion, depth: Int) -> Resolution {
    guard question.class == .internet || question.class == .any else { return .answer(.refused) }
    if let zone = configuration.zone(of: question.name) {
      return .answer(resolve(question, in: zone, depth: depth))
    }
    if let address = ReverseName.address(of: question.name) {
      return resolveReverse(address)
    }
    if configuration.hasRecursors { return .forward }
    if ReverseName.isReverse(question.name) {
      return .answer(nameError(in: configuration.primary))
    }
    return .answer(.refused)
  }

  /// Resolves a name of the zone into the draft.
  mutating func resolve(_ question: DNSQuestion, in zone: Zone, depth: Int) -> DNSResponseCode {
    switch question.type {
    case .soa:
      draft.append(authorityRecord(configuration.primary))
      appendNameServers(of: zone) { draft, record in draft.append(authority: record) }
      return .noError
    case .ns:
      appendNameServers(of: zone) { draft, record in draft.append(record) }
      return .noError
    case .axfr, .ixfr:
      return .notImplemented
    default:
      break
    }
    switch ZoneName(question.name, within: zone.domain, type: question.type) {
    case .node(let name, let place):
      return resolveNode(name, place, question, zone, depth: depth)
    case .service(let lookup):
      return resolveService(lookup, question, zone, depth: depth)
    case .preparedQuery(let name, let datacenter):
      return resolvePreparedQuery(name, datacenter: datacenter, question, zone, depth: depth)
    case .virtual(let service, let place):
      return resolveVirtual(service, place, zone)
    case .address(let address):
      return resolveAddress(address, question)
    case nil:
      return nameError(in: zone)
    }
  }

  // MARK: The zone itself

  func authorityRecord(_ zone: Zone) -> AnswerRecord {
    var authority = zone.authority
    authority.serial = now
    return AnswerRecord(owner: .name(zone.domain), ttl: authority.minimumTTL, data: .authority(authority))
  }

  /// Notes that the name does not exist; SOA tells for how long that may be remembered (RFC 2308).
  mutating func nameError(in zone: Zone) -> DNSResponseCode {
    draft.append(authority: authorityRecord(zone))
    return .nameError
  }

  /// Names the servers of the datacenter: at most three, whose names hosts can have.
  private mutating func appendNameServers(
    of zone: Zone, _ append: (inout AnswerDraft, AnswerRecord) -> Void
  ) {
    guard let found = find(.service(ServiceLookup(name: "consul"))) else { return }
    guard case .instances(let instances) = found else { return }
    pick(instances, onlyPassing: false)
    let ttl = configuration.nodeTTL
    var count = 0
    for position in order.indices {
      guard count < 3 else { break }
      shuffle(position)
      let node = instances[order[position]].node
      guard Self.isHostName(node.value.node) else { continue }
      let suffix = zone.suffixes(datacenter: node.value.datacenter, peer: "").node
      let name = AnswerName.labels(node.value.node, suffix)
      append(&draft, AnswerRecord(owner: .name(zone.domain), ttl: ttl, data: .name(.ns, name)))
      count += 1
      guard let address = DNSAddress(nodeAddress(node, accepting: .any)) else { continue }
      draft.append(extra: AnswerRecord(owner: name, ttl: ttl, data: .address(address)))
    }
  }

  private static func isHostName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= DNSName.labelLimit
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  // MARK: Names that stand for addresses

  private mutating func resolveAddress(_ address: DNSAddress, _ question: DNSQuestion) -> DNSResponseCode {
    let record = AnswerRecord(
      owner: .name(question.name.lowercased), ttl: configuration.nodeTTL, data: .address(address))
    if question.type == .any || question.type == address.recordType {
      draft.append(record)
    } else {
      draft.append(extra: record)
    }
    return .noError
  }

  private mutating func resolveVirtual(_ service: String, _ place: CatalogPlace, _ zone: Zone) -> DNSResponseCode {
    switch find(.virtualAddress(service: service, place)) {
    case .virtualAddress(let address?):
      draft.append(AnswerRecord(owner: .question, ttl: configuration.nodeTTL, data: .address(address)))
    default:
      break
    }
    return .noError
  }

  private mutating func resolveReverse(_ address: DNSAddress) -> Resolution {
    let zone = configuration.primary
    switch find(.reverse(address)) {
    case .node(let row):
      let suffix = zone.suffixes(datacenter: row.value.datacenter, peer: row.value.peerName).node
      appendPointer(.labels(row.value.node, suffix), suffix, row.value.node)
    case .reverseServices(let rows):
      for row in rows {
        let suffix = zone.suffixes(datacenter: "", peer: row.value.peerName).service
        appendPointer(.labels(row.value.service, suffix), suffix, row.value.service)
      }
    default:
      break
    }
    guard draft.answers.isEmpty else { return .answer(.noError) }
    if configuration.hasRecursors && failure == nil { return .forward }
    return .answer(nameError(in: zone))
  }

  private mutating func appendPointer(_ target: AnswerName, _ suffix: DNSName, _ labels: String) {
    guard DNSName.canHold(labels: labels, before: suffix) else { return }
    draft.append(AnswerRecord(owner: .question, ttl: 0, data: .name(.ptr, target)))
  }

  // MARK: Knowledge

  /// Asks the context; what is missing is noted and nil is returned, as for failures.
  mutating func find(_ lookup: CatalogLookup) -> CatalogAnswer? {
    guard let answer = context.find(lookup) else {
      note(.catalog(lookup))
      return nil
    }
    if case .failed(let reason) = answer {
      failure = failure ?? reason
      return nil
    }
    return answer
  }

  mutating func note(_ need: ResolverNeed) {
    if !needs.contains(need) { needs.append(need) }
  }
}

/// Names that stand for addresses below `in-addr.arpa` (RFC 1035, section 3.5) and `ip6.arpa` (RFC 3596).
enum ReverseName {
  private static let v4 = DNSName(uncheckedLabels: "in-addr", "arpa")
  private static let v6 = DNSName(uncheckedLabels: "ip6", "arpa")

  static func isReverse(_ name: DNSName) -> Bool { name.isWithin(v4) || name.isWithin(v6) }

  /// The address, if the name is a whole one.
  static func address(of name: DNSName) -> DNSAddress? {
    if name.isWithin(v4) {
      let labels = name.labels
      guard labels.count == 6 else { return nil }
      var value: UInt32 = 0
      for label in labels[..<4].reversed() {
        guard let part = UInt8(String(decoding: name.wire[label], as: UTF8.self)) else { return nil }
        value = value << 8 | UInt32(part)
      }
      return .v4(value)
    }
    if name.isWithin(v6) {
      let labels = name.labels
      guard labels.count == 34, labels[..<32].allSatisfy({ $0.count == 1 }) else { return nil }
      return DNSAddress(hexadecimalLabel: labels[..<32].reversed().map { name.wire[$0.lowerBound] })
    }
    return nil
  }
}
