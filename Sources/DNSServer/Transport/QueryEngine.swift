import Glibc
import Logging
import NIOCore
import Synchronization
import Wire

/// What all engines of a server share.
final class EngineEnvironment: Sendable {
  let catalog: any DNSCatalog
  let observer: (any DNSObserver)?
  let logger: Logger
  private let current: Mutex<ResolverConfiguration>

  init(
    _ configuration: ResolverConfiguration, catalog: any DNSCatalog, observer: (any DNSObserver)?, logger: Logger
  ) {
    current = Mutex(configuration)
    self.catalog = catalog
    self.observer = observer
    self.logger = logger
  }

  var configuration: ResolverConfiguration {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}

/// Answers queries on one event loop, with memory that is used again from query to query. What memory knows is answered
/// within the call; for the rest the engine waits for the catalog or for upstream servers and delivers later.
///
/// Confined to its loop.
final class QueryEngine {
  /// Queries that may wait at the same time; beyond, clients are told to come again.
  static let waitingLimit = 8192

  /// Takes a late answer; the bytes are valid during the call only.
  typealias Delivery = (UnsafeRawBufferPointer) -> Void

  enum Outcome {
    /// The answer is in ``QueryEngine/answer``.
    case ready
    /// There will be none.
    case none
    /// It will be delivered.
    case later
  }

  let loop: any EventLoop
  let environment: EngineEnvironment
  private var writer = DNSMessageWriter()
  let upstream: UpstreamClient
  private var random = LoopRandom()
  private var draft = AnswerDraft()
  private var order: [Int] = []
  private var waitingCount = 0

  init(loop: any EventLoop, environment: EngineEnvironment) {
    self.loop = loop
    self.environment = environment
    upstream = UpstreamClient(loop: loop, logger: environment.logger)
  }

  /// The latest answer; valid until the next call.
  var answer: UnsafeRawBufferPointer { writer.bytes }

  /// Reads and answers a message.
  /// - Parameters:
  ///   - client: who asks.
  ///   - delivery: makes the taker of a late answer; called only for `.later`.
  func handle(
    _ bytes: UnsafeRawBufferPointer, over transport: DNSTransport, from client: @autoclosure () -> DNSAddress?,
    delivery: () -> Delivery
  ) -> Outcome {
    let start = environment.observer == nil ? nil : ContinuousClock.now
    switch DNSRequest(bytes) {
    case .ignore:
      return .none
    case .refuse(let id, let flags, let code):
      writer.begin(id: id, flags: flags.echoed.with(code))
      return .ready
    case .query(let query):
      let configuration = environment.configuration
      if let version = query.extension?.version, version > 0 {
        draft.removeAll()
        write(draft, .badVersion, [], Inquiry.Subject(query, transport), configuration)
        return .ready
      }
      let client = query.extension?.clientSubnet?.address ?? client()
      let subject = Inquiry.Subject(query, transport, client: client, start: start)
      return handle(subject, bytes, configuration, delivery)
    }
  }

  private func handle(
    _ subject: Inquiry.Subject, _ bytes: UnsafeRawBufferPointer, _ configuration: ResolverConfiguration,
    _ delivery: () -> Delivery
  ) -> Outcome {
    let seed = random
    let context = EngineContext(engine: self, configuration: configuration, inquiry: nil)
    var random = seed
    let step = resolve(subject, context, random: &random)
    self.random = random
    switch step {
    case .done:
      observe(subject, configuration)
      return .ready
    case .needs(let needs):
      let inquiry = Inquiry(subject, configuration, random: seed, delivery: delivery())
      guard begin(inquiry, configuration) else { return .ready }
      supply(needs, to: inquiry, lookups: context.unanswered)
      return .later
    case .forward:
      let inquiry = Inquiry(subject, configuration, random: seed, delivery: delivery())
      guard begin(inquiry, configuration) else { return .ready }
      forward(Array(bytes), inquiry)
      return .later
    }
  }

  // MARK: Resolving

  private enum Step {
    /// The writer holds the answer.
    case done
    case needs([ResolverNeed])
    case forward
  }

  private func resolve(
    _ subject: Inquiry.Subject, _ context: EngineContext, random: inout LoopRandom
  ) -> Step {
    let configuration = context.configuration
    let response = ResponseWriter(subject.query, subject.transport, configuration)
    var resolver = Resolver(
      configuration: configuration, context: context, client: subject.client, now: Self.secondsSince1970(),
      // One more than fits tells that some were left out.
      answerLimit: response.answerLimit + 1, random: random, draft: take(&draft, AnswerDraft()),
      order: take(&order, []))
    let resolution = resolver.resolve(subject.query.question)
    random = resolver.random
    draft = resolver.draft
    order = resolver.order
    switch resolution {
    case .answer(let code):
      let flags: DNSFlags = code == .refused ? [] : .authoritative
      write(draft, code, flags, subject, configuration, dependsOnClient: resolver.dependsOnClient)
      return .done
    case .failed(let reason):
      environment.logger.debug(
        "DNS query failed", metadata: ["name": "\(subject.query.question.name)", "error": "\(reason)"])
      draft.removeAll()
      write(draft, .serverFailure, .authoritative, subject, configuration)
      return .done
    case .needs(let needs): return .needs(needs)
    case .forward: return .forward
    }
  }

  private func write(
    _ draft: AnswerDraft, _ code: DNSResponseCode, _ flags: DNSFlags, _ subject: Inquiry.Subject,
    _ configuration: ResolverConfiguration, dependsOnClient: Bool = false
  ) {
    let flags = configuration.hasRecursors ? flags.union(.recursionAvailable) : flags
    ResponseWriter(subject.query, subject.transport, configuration)
      .write(draft, code: code, flags: flags, dependsOnClient: dependsOnClient, to: &writer)
  }

  private func writeFailure(_ subject: Inquiry.Subject, _ configuration: ResolverConfiguration) {
    draft.removeAll()
    write(draft, .serverFailure, [], subject, configuration)
  }

  private func observe(_ subject: Inquiry.Subject, _ configuration: ResolverConfiguration) {
    guard let observer = environment.observer, let start = subject.start else { return }
    let question = subject.query.question
    let kind: DNSQueryKind =
      configuration.zone(of: question.name) != nil
      ? .domain : ReverseName.isReverse(question.name) ? .reverse : .recursive
    observer.answered(kind, type: question.type, after: ContinuousClock.now - start)
  }

  // MARK: Waiting

  /// - Returns: false if too many wait already; the writer then holds the answer.
  private func begin(_ inquiry: Inquiry, _ configuration: ResolverConfiguration) -> Bool {
    guard waitingCount < Self.waitingLimit else {
      writeFailure(inquiry.subject, configuration)
      return false
    }
    waitingCount += 1
    return true
  }

  private func supply(_ needs: [ResolverNeed], to inquiry: Inquiry, lookups: UnansweredLookups) {
    inquiry.missing = needs.count
    for need in needs {
      switch need {
      case .catalog(let lookup):
        lookups.whenAnswered(lookup) { answer in
          inquiry.answers[lookup] = answer
          self.advance(inquiry)
        }
      case .upstream(let name):
        upstream.addresses(of: name, inquiry.configuration) { records in
          inquiry.upstream[name] = records
          self.advance(inquiry)
        }
      }
    }
  }

  /// Resolves again when everything that was missing is there.
  private func advance(_ inquiry: Inquiry) {
    inquiry.missing -= 1
    guard inquiry.missing == 0 else { return }
    inquiry.rounds += 1
    let context = EngineContext(engine: self, configuration: inquiry.configuration, inquiry: inquiry)
    var random = inquiry.random
    switch resolve(inquiry.subject, context, random: &random) {
    case .done:
      finish(inquiry, answer)
    case .needs(let needs) where inquiry.rounds < Inquiry.roundLimit:
      supply(needs, to: inquiry, lookups: context.unanswered)
    case .forward:
      forward(inquiry.subject.query.encoded(), inquiry)
    case .needs:
      writeFailure(inquiry.subject, inquiry.configuration)
      finish(inquiry, answer)
    }
  }

  private func forward(_ message: [UInt8], _ inquiry: Inquiry) {
    let subject = inquiry.subject
    upstream.forward(message, subject.query.question, over: subject.transport, inquiry.configuration) { response in
      if let response {
        response.withUnsafeBytes { self.finish(inquiry, $0) }
      } else {
        self.writeFailure(subject, inquiry.configuration)
        self.finish(inquiry, self.answer)
      }
    }
  }

  private func finish(_ inquiry: Inquiry, _ bytes: UnsafeRawBufferPointer) {
    waitingCount -= 1
    observe(inquiry.subject, inquiry.configuration)
    inquiry.delivery(bytes)
  }

  private static func secondsSince1970() -> UInt32 {
    UInt32(truncatingIfNeeded: time(nil))
  }
}

/// Takes a value out, so that it can be changed elsewhere without being copied.
private func take<Value>(_ value: inout Value, _ empty: Value) -> Value {
  let taken = value
  value = empty
  return taken
}
