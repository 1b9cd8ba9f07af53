import AccessControl
import Model
import NIOCore
import Synchronization

@testable import Server
@testable import State

/// Servers without consensus: commands are applied to a store of this process at once.
final class MemoryBackend: Backend, Sendable {
  private struct Contents {
    var nextIndex: UInt64 = 10
    var failure: ServerError?
    var renewed: [String] = []
    var waiting = 0
  }

  let store = StateStore()
  let datacenter = "dc1"
  let datacenters = ["dc1"]
  let leaderAddress = "127.0.0.1:8300"
  let peerAddresses = ["127.0.0.1:8300"]
  private let contents = Mutex(Contents())
  private let logins = LoginService(NoProviders())
  /// What writes ask for the rights of a token; nil allows all.
  let resolver = Mutex<(any AuthorizerResolver)?>(nil)

  /// Makes every call fail.
  func fail(with error: ServerError?) { contents.withLock { $0.failure = error } }
  /// The sessions that were renewed.
  var renewed: [String] { contents.withLock { $0.renewed } }
  /// Queries that wait for a change.
  var waiting: Int { contents.withLock { $0.waiting } }

  @discardableResult
  func apply(_ command: Command) -> CommandResult {
    let index = contents.withLock { contents in
      contents.nextIndex += 1
      return contents.nextIndex
    }
    return store.apply(index: index, command)
  }

  private func failure(_ datacenter: String) -> ServerError? {
    if let failure = contents.withLock({ $0.failure }) { return failure }
    return datacenter.isEmpty || datacenter == self.datacenter ? nil : .noPathToDatacenter(datacenter)
  }

  @discardableResult
  func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> PendingQuery? {
    if let failure = failure(options.datacenter) {
      completion(.failure(failure))
      return nil
    }
    let access = access(options.token, query)
    do throws(ServerError) {
      let found = try query.answer(store.current, for: try access?.reader())
      guard options.minIndex > 0, max(found.result.index, 1) <= options.minIndex else {
        completion(.success(Answer(found)))
        return nil
      }
    } catch {
      completion(.failure(error))
      return nil
    }
    let waiter = Waiter(self, access)
    contents.withLock { $0.waiting += 1 }
    waiter.wait(query, options, on: loop, completion)
    return waiter
  }

  private func access(_ token: String, _ query: some ReadQuery) -> RequestAccess? {
    query.isOpen ? nil : resolver.withLock { $0 }.map { RequestAccess(token, $0) }
  }

  func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) {
    if let failure = failure(datacenter) { return completion(.failure(failure)) }
    var context = WriteContext(
      state: store.current, datacenter: self.datacenter, sessionTTLMinimum: .seconds(10),
      isLockDelayed: { [store] in store.isLockDelayed($0) },
      renewSession: { session in
        self.contents.withLock { $0.renewed.append(session.value.id) }
        return true
      })
    if let resolver = resolver.withLock({ $0 }) { context.access = RequestAccess(token, resolver) }
    context.current = { [store] in store.current }
    context.now = WallClock.now()
    context.logins = logins
    do throws(ServerError) {
      switch try request.prepare(context) {
      case .immediate(let reply): completion(.success(reply))
      case .command(let command, let meaning): completion(.success(try meaning(apply(command))))
      case .later: completion(.failure(.invalid("no identity provider can be asked here")))
      }
    } catch {
      completion(.failure(error))
    }
  }

  /// The archive that clients get, in pieces.
  let archive = Mutex<[[UInt8]]>([])
  /// The archives that were to be restored.
  let restored = Mutex<[String]>([])

  func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void
  ) {
    if let failure = failure(options.datacenter) { return completion(.failure(failure)) }
    completion(.success(Answer(value: Pieces(archive.withLock { $0 }), index: 7)))
  }

  func restoreSnapshot(
    _ archive: SpoolFile, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    if let failure = failure(datacenter) { return completion(.failure(failure)) }
    restored.withLock { $0.append(Self.text(archive)) }
    completion(.success(()))
  }

  private static func text(_ archive: SpoolFile) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    try? archive.rewind()
    while let count = try? buffer.withUnsafeMutableBytes({ try archive.read(into: $0) }), count > 0 {
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  fileprivate func stoppedWaiting() { contents.withLock { $0.waiting -= 1 } }
}

/// An archive that is there already.
private final class Pieces: SnapshotArchiveStream, Sendable {
  private let rest: Mutex<ArraySlice<[UInt8]>>

  init(_ pieces: [[UInt8]]) { rest = Mutex(pieces[...]) }

  func next(on loop: any EventLoop, _ completion: @escaping @Sendable (Result<[UInt8]?, ServerError>) -> Void) {
    let piece = rest.withLock { $0.popFirst() }
    loop.execute { completion(.success(piece)) }
  }
}

/// A query that waits until the answer's index passes the reader's.
private final class Waiter: PendingQuery, Sendable {
  private struct State {
    var isOver = false
    var timeout: Scheduled<Void>?
  }

  private let backend: MemoryBackend
  private let state = Mutex(State())

  private let access: RequestAccess?

  init(_ backend: MemoryBackend, _ access: RequestAccess?) {
    self.backend = backend
    self.access = access
  }

  private func evaluate<Query: ReadQuery>(
    _ query: Query, _ state: StateSnapshot
  ) -> Result<LimitedResult<Query.Reply>, ServerError> {
    do throws(ServerError) {
      return .success(try query.answer(state, for: try access?.reader()))
    } catch {
      return .failure(error)
    }
  }

  func wait<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) {
    let timeout = loop.scheduleTask(in: .nanoseconds(options.maxTime.nanoseconds)) { [self] in
      let result = evaluate(query, backend.store.current)
      if end() { completion(result.map { Answer($0) }) }
    }
    state.withLock { $0.timeout = timeout }
    look(query, options, on: loop, completion)
  }

  private func look<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) {
    let seen = backend.store.current
    let found: LimitedResult<Query.Reply>
    switch evaluate(query, seen) {
    case .success(let result) where max(result.result.index, 1) <= options.minIndex: found = result
    case let result:
      if end() { completion(result.map { Answer($0) }) }
      return
    }
    let watch = backend.store.register(found.result.watch, seen: seen) { [self] _ in
      loop.execute { [self] in if !isOver { look(query, options, on: loop, completion) } }
    }
    if watch == nil { loop.execute { [self] in look(query, options, on: loop, completion) } }
  }

  private var isOver: Bool { state.withLock { $0.isOver } }

  private func end() -> Bool {
    let (first, timeout) = state.withLock { state in
      defer { state.isOver = true }
      return (!state.isOver, state.timeout)
    }
    timeout?.cancel()
    if first { backend.stoppedWaiting() }
    return first
  }

  func cancel() { _ = end() }
}
