import NIOCore
import Wire

/// A query that waits for something, with what was found out so far. Confined to the engine's loop.
final class Inquiry {
  /// What a query is about.
  struct Subject {
    let query: DNSQuery
    let transport: DNSTransport
    let client: DNSAddress?
    /// When the query arrived, if somebody wants to know how long it took.
    let start: ContinuousClock.Instant?

    init(
      _ query: DNSQuery, _ transport: DNSTransport, client: DNSAddress? = nil, start: ContinuousClock.Instant? = nil
    ) {
      self.query = query
      self.transport = transport
      self.client = client
      self.start = start
    }
  }

  /// Aliases lead to aliases: each round can need more, but not for ever.
  static let roundLimit = 16

  let subject: Subject
  /// The settings when the query arrived.
  let configuration: ResolverConfiguration
  /// Chance as it was at the start, so that every round picks the same instances.
  let random: LoopRandom
  let delivery: QueryEngine.Delivery
  var answers: [CatalogLookup: CatalogAnswer] = [:]
  var upstream: [DNSName: [DNSRecord]] = [:]
  var missing = 0
  var rounds = 0

  init(
    _ subject: Subject, _ configuration: ResolverConfiguration, random: LoopRandom,
    delivery: @escaping QueryEngine.Delivery
  ) {
    self.subject = subject
    self.configuration = configuration
    self.random = random
    self.delivery = delivery
  }
}

/// What the resolver sees of an engine: the catalog, and what an inquiry has learned.
struct EngineContext: ResolverContext {
  let engine: QueryEngine
  let configuration: ResolverConfiguration
  let inquiry: Inquiry?
  let unanswered = UnansweredLookups()

  func find(_ lookup: CatalogLookup) -> CatalogAnswer? {
    if let known = inquiry?.answers[lookup] { return known }
    let slot = LookupSlot()
    engine.environment.catalog.find(lookup, configuration.readOptions, on: engine.loop) { slot.fill($0) }
    if let answer = slot.answer { return answer }
    unanswered.slots[lookup] = slot
    return nil
  }

  func upstream(_ name: DNSName) -> [DNSRecord]? { inquiry?.upstream[name] }
}

/// The lookups of one round that the catalog did not answer at once.
final class UnansweredLookups {
  var slots: [CatalogLookup: LookupSlot] = [:]

  func whenAnswered(_ lookup: CatalogLookup, _ body: @escaping (CatalogAnswer) -> Void) {
    guard let slot = slots[lookup] else { return body(.failed("lookup was not made")) }
    slot.whenFilled = body
  }
}

/// Takes one answer of the catalog, at once or later.
///
/// `@unchecked Sendable`: the catalog fills it on the engine's loop, where everything else happens, too.
final class LookupSlot: @unchecked Sendable {
  private(set) var answer: CatalogAnswer?
  var whenFilled: ((CatalogAnswer) -> Void)?

  func fill(_ answer: CatalogAnswer) {
    self.answer = answer
    whenFilled?(answer)
    whenFilled = nil
  }
}

/// Chance for the order of answers: quick, not secret (xorshift128+ seeded by the system).
struct LoopRandom: RandomNumberGenerator {
  private var state: (UInt64, UInt64)

  init() {
    state = (UInt64.random(in: 1 ... .max), UInt64.random(in: 1 ... .max))
  }

  mutating func next() -> UInt64 {
    var first = state.0
    let second = state.1
    state.0 = second
    first ^= first << 23
    state.1 = first ^ second ^ (first >> 17) ^ (second >> 26)
    return state.1 &+ second
  }
}
