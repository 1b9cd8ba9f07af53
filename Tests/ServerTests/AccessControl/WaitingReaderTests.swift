import AccessControl
import Model
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Server
@testable import State

/// A query that waits notices what becomes of the token that it was asked with.
@Suite final class WaitingReaderTests: Sendable {
  private final class Clock: Sendable {
    let seconds = Mutex<Int64>(1000)
  }

  private typealias Outcome = Result<Answer<[Row<KVEntry>]>, ServerError>

  private let store = StateStore()
  private let loop = EmbeddedEventLoop()
  private let resolver: TokenResolver
  private let index = Mutex<UInt64>(0)
  private let outcome = Mutex<Outcome?>(nil)
  private let clock: Clock

  init() {
    let store = store
    let clock = Clock()
    self.clock = clock
    resolver = TokenResolver(
      AccessControlSettings(nodeName: "s1"), datacenter: "dc1",
      now: { Timestamp(unixSeconds: clock.seconds.withLock { $0 }) }
    ) { store.current }
    rules("key_prefix \"a\" { policy = \"read\" }")
    makeToken()
    write("a")
  }

  private func makeToken(expires: Timestamp? = nil) {
    var token = ACLToken()
    (token.accessorID, token.secretID, token.expirationTime) = ("accessor", Secret("t"), expires)
    token.policies = [ACLLink(id: "p")]
    var request = ACLTokenBatchSetRequest()
    request.tokens = [token]
    apply(.accessControl(.setTokens(request)))
  }

  private func apply(_ command: Command) {
    let next = index.withLock {
      $0 += 1
      return $0
    }
    store.apply(index: next, command)
  }

  private func rules(_ text: String) {
    var policy = ACLPolicy()
    (policy.id, policy.name, policy.rules) = ("p", "p", text)
    apply(.accessControl(.setPolicies(ACLPolicyBatchSetRequest([policy]))))
  }

  private func write(_ key: String) {
    var entry = KVEntry()
    entry.key = key
    apply(.kvs(KVSRequest(op: .set, entry: entry)))
  }

  /// Begins to wait for a change of the keys that begin with `a`.
  private func wait() -> BlockingQuery<KVList> {
    let query = KVList(prefix: "a")
    let blocking = BlockingQuery(
      query, store: store, minIndex: query.evaluate(store.current).index, access: RequestAccess("t", resolver), on: loop
    ) { [self] result in outcome.withLock { $0 = result } }
    blocking.start(timeout: .minutes(5))
    loop.run()
    #expect(outcome.withLock { $0 } == nil)
    return blocking
  }

  @Test func changesOfOtherThingsWakeNobody() throws {
    let waiting = wait()
    write("b")
    loop.run()
    #expect(outcome.withLock { $0 } == nil)
    write("a/2")
    loop.run()
    #expect(try outcome.withLock { $0 }?.get().value.count == 2)
    waiting.cancel()
  }

  @Test func aTokenThatLosesARightGetsAnAnswerWithLess() throws {
    let waiting = wait()
    rules("key_prefix \"b\" { policy = \"read\" }")
    loop.run()
    let answer = try #require(outcome.withLock { $0 }).get()
    #expect(answer.value.isEmpty && answer.isFiltered)
    waiting.cancel()
  }

  @Test func aTokenThatIsDeletedEndsTheWait() {
    let waiting = wait()
    apply(.accessControl(.deleteTokens(ACLTokenBatchDeleteRequest(["accessor"]))))
    loop.run()
    #expect(throws: ServerError.tokenNotFound) { try outcome.withLock { $0 }?.get() }
    waiting.cancel()
  }

  @Test func aTokenWhoseTimeIsOverEndsTheWaitThen() {
    makeToken(expires: Timestamp(unixSeconds: 1030))
    let waiting = wait()
    clock.seconds.withLock { $0 = 1029 }
    loop.advanceTime(by: .seconds(29))
    #expect(outcome.withLock { $0 } == nil)
    clock.seconds.withLock { $0 = 1031 }
    loop.advanceTime(by: .seconds(2))
    #expect(throws: ServerError.tokenNotFound) { try outcome.withLock { $0 }?.get() }
    waiting.cancel()
  }
}
