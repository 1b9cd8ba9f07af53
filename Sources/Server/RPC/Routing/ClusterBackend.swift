import Logging
import Model
import NIOCore
import State
import Synchronization
import Wire

/// The servers of the datacenter as one: a request is carried out where it can be, by this agent's own server or by another
/// one (wire/rpc.md, section 7.1).
///
///     read, stale ──▶ here, as soon as this server has ever heard from a leader
///     everything  ──▶ the leader; while there is none, requests are held for a while
///     no server   ──▶ one of the servers, the same one until it fails
public final class ClusterBackend: Sendable {
  public let datacenter: String
  /// Nil in an agent that is a client only.
  public let server: ServerNode?
  public let client: RPCClient
  /// The servers that a client asks; without meaning beside a server.
  public let servers: ServerList
  /// How long requests are held while there is no leader (`performance.rpc_hold_timeout`).
  let holdTimeout: TimeAmount
  let seenByClient = Mutex(ClusterView())
  /// The gossip of this agent, once it runs.
  public let gossip = GossipPlace()

  /// The backend of a server.
  public init(_ server: ServerNode, client: RPCClient, holdTimeout: TimeAmount = .seconds(7)) {
    datacenter = server.datacenter
    self.server = server
    self.client = client
    servers = ServerList()
    self.holdTimeout = holdTimeout
    server.secondary?.connect(self)
  }

  /// The backend of a client.
  public init(datacenter: String, servers: ServerList, client: RPCClient, holdTimeout: TimeAmount = .seconds(7)) {
    self.datacenter = datacenter
    server = nil
    self.client = client
    self.servers = servers
    self.holdTimeout = holdTimeout
  }

  // MARK: Where to

  /// - Parameter tried: Servers of another datacenter that have failed this request already.
  func destination(of wish: Wish, tried: Set<String> = []) -> Destination {
    guard let server else {
      return servers.first.map { .server($0) } ?? .refused(.noServers)
    }
    if !isOwn(wish.datacenter) { return destination(in: wish.datacenter, server, tried: tried) }
    if wish.isForAnyServer || server.isLeader || (wish.isStale && server.hasHeardFromLeader) { return .here }
    guard let leader = server.raft.leader, leader.id != server.raftID else { return .nowhere(.noLeader) }
    return .server(leader.address)
  }

  /// "" means the own one.
  func isOwn(_ datacenter: String) -> Bool { datacenter.isEmpty || datacenter == self.datacenter }

  /// Whether a server has to leave the request to another datacenter, whose servers hold it while they have no leader.
  func goesElsewhere(_ wish: Wish) -> Bool { server != nil && !isOwn(wish.datacenter) }

  /// A server of another datacenter, which forwards to its leader by itself: one that gossip holds for alive, or for want
  /// of those one that may be back before gossip has noticed.
  private func destination(in datacenter: String, _ server: ServerNode, tried: Set<String>) -> Destination {
    let all = server.members.candidates(in: datacenter)
    if all.isEmpty { return .refused(.noPathToDatacenter(datacenter)) }
    let untried = all.filter { !tried.contains($0.rpcAddress) }
    let alive = untried.filter { $0.status == .alive }
    guard let other = alive.randomElement() ?? untried.randomElement() else {
      return .refused(.datacenterUnreachable(datacenter))
    }
    return .server(other.rpcAddress)
  }

  /// Learns from failures who is not worth asking.
  func noteFailure(_ error: RouteError, at destination: Destination) {
    guard server == nil, case .server(let address) = destination, case .there(let error) = error else { return }
    switch error {
    case .connecting, .broken, .timeout:
      ServerMetrics.callsFailed.increment()
      servers.failed(address)
    case .remote(let text) where text.contains("against a different server"): servers.failed(address)
    case .remote, .malformed, .rateLimited, .shutDown: break
    }
  }

  /// Carries a request out here or there. `completion` runs on `loop`.
  func route<Value: Sendable>(
    _ wish: Wish, on loop: any EventLoop, _ completion: @escaping RoutedCall<Value>.Completion,
    here: @escaping RoutedCall<Value>.Here, there: @escaping RoutedCall<Value>.There
  ) -> (any PendingQuery)? {
    let destination = destination(of: wish)
    guard destination == .here else {
      // What is carried out here is held against the limits there.
      if let server, !server.limiter.admits(wish.isRead ? .read : .write, wish.method) {
        completion(.failure(.here(.rateLimited(elsewhere: true))))
        return nil
      }
      if goesElsewhere(wish), wish.isRead { ServerMetrics.crossDatacenter.increment(wish.datacenter) }
      let call = RoutedCall(wish, self, on: loop, completion, here: here, there: there)
      call.start()
      return call
    }
    // The usual case on a leader costs nothing; only if leadership is just being lost there is more to do.
    let isClient = server == nil
    return here { result in
      let result = result.mapError { RouteError.here($0) }
      if case .failure(let error) = result, error.allowsRetry(of: wish, byClient: isClient) {
        RoutedCall(wish, self, on: loop, completion, here: here, there: there).goOn(after: error, at: destination)
      } else {
        completion(result)
      }
    }
  }

  /// Carries a request out that arrived as bytes; if it has to be forwarded, the same bytes are.
  func route(
    _ wish: Wish, _ body: ByteBuffer, on loop: any EventLoop, _ completion: @escaping RPCMethods.Completion,
    here: @escaping RoutedCall<ByteBuffer>.Here
  ) -> (any PendingQuery)? {
    route(wish, on: loop, { completion($0.mapError(\.failure)) }, here: here) { [self] address, done in
      client.call(wish.method, body, to: address, timeout: timeout(of: wish), on: loop, done)
    }
  }

  /// How long the answer to a forwarded request may take; nil for the usual time.
  private func timeout(of wish: Wish) -> TimeAmount? { wish.blockingTime.map { $0 + holdTimeout } }
}

extension ClusterBackend: Backend {
  @discardableResult
  public func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> (any PendingQuery)? {
    guard options.consistency == .stale, options.maxStale > .zero else {
      return read(query, options, on: loop, completion)
    }
    let handle = ReplaceableQuery()
    let first = read(query, options, on: loop) { [self] result in
      guard case .success(let answer) = result, answer.isOlder(than: options.maxStale) else {
        return completion(result)
      }
      var fresh = options
      fresh.consistency = .leaseBased
      handle.replace(by: read(query, fresh, on: loop, completion))
    }
    handle.begin(with: first)
    return handle
  }

  private func read<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> (any PendingQuery)? {
    if let (moved, elsewhere) = inPrimary(query, options) {
      return routed(moved, Wish(Query.method, elsewhere), elsewhere, on: loop, completion)
    }
    let wish = Wish(Query.method, options)
    // What can be answered here costs nothing more than without a cluster.
    if let server, case .here = destination(of: wish) {
      return server.query(query, options, on: loop) { [self] result in
        guard case .failure(.noLeader) = result else { return completion(result) }
        _ = routed(query, wish, options, on: loop, completion)
      }
    }
    return routed(query, wish, options, on: loop, completion)
  }

  private func routed<Query: ReadQuery>(
    _ query: Query, _ wish: Wish, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<Query.Reply>, ServerError>) -> Void
  ) -> (any PendingQuery)? {
    route(
      wish, on: loop,
      { (result: Result<Answer<Query.Reply>, RouteError>) in completion(result.mapError(\.serverError)) },
      here: { [server] done in
        if let server { return server.query(query, options, on: loop, done) }
        done(.failure(.noServers))
        return nil
      },
      there: { [self] address, done in
        client.call(
          Query.method, body(of: query, options), to: address, timeout: timeout(of: wish), on: loop
        ) { done(Self.answer(to: query, $0)) }
      })
  }

  private func body<Query: ReadQuery>(of query: Query, _ options: QueryOptions) -> ByteBuffer {
    var request = query.request
    let filter = request.options.filter
    request.options = RPCQueryOptions(options)
    request.options.filter = filter
    if request.datacenter.isEmpty || !isOwn(options.datacenter) { request.datacenter = options.datacenter }
    if !isOwn(request.datacenter) { request.options.token = tokenAbroad(options.token) }
    return .messagePack(request)
  }

  private static func answer<Query: ReadQuery>(
    to query: Query, _ result: Result<ByteBuffer, RPCError>
  ) -> Result<Answer<Query.Reply>, RPCError> {
    switch result {
    case .failure(.remote(let text)):
      // Some answers travel as errors.
      guard let reply = Query.reply(error: text) else { return .failure(.remote(text)) }
      return .success(Answer(value: reply, index: .max))
    case .failure(let error): return .failure(error)
    case .success(let body):
      do throws(MessagePackError) {
        let response = try Query.Response(decoding: body)
        var answer = Answer(value: Query.reply(response), index: 1)
        if let meta = Query.meta(of: response) {
          answer.index = max(meta.index, 1)
          answer.knownLeader = meta.knownLeader
          answer.isFiltered = meta.isFiltered
          answer.lastContactMilliseconds = UInt64(clamping: meta.lastContact.nanoseconds / 1_000_000)
        }
        return .success(answer)
      } catch {
        return .failure(.malformed("\(error)"))
      }
    }
  }

  public func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) {
    let wish = Wish(write: Request.method, datacenter: home(of: request, datacenter))
    guard let server, case .here = destination(of: wish) else {
      return routed(request, wish, token: token, on: loop, completion)
    }
    server.write(request, datacenter: "", token: token, on: loop) { [self] result in
      guard case .failure(.noLeader) = result else { return completion(result) }
      routed(request, wish, token: token, on: loop, completion)
    }
  }

  private func routed<Request: WriteRequest>(
    _ request: Request, _ wish: Wish, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Request.Reply, ServerError>) -> Void
  ) {
    let datacenter = wish.datacenter
    _ = route(
      wish, on: loop, { (result: Result<Request.Reply, RouteError>) in completion(result.mapError(\.serverError)) },
      here: { [server] done in
        guard let server else {
          done(.failure(.noServers))
          return nil
        }
        server.write(request, datacenter: "", token: token, on: loop, done)
        return nil
      },
      there: { [self] address, done in
        var arguments = request.request
        arguments.datacenter = datacenter.isEmpty ? self.datacenter : datacenter
        arguments.token = isOwn(datacenter) ? token : tokenAbroad(token)
        return client.call(Request.method, .messagePack(arguments), to: address, on: loop) { result in
          done(result.flatMap { Self.reply(to: request, $0) })
        }
      })
  }

  private static func reply<Request: WriteRequest>(
    to request: Request, _ body: ByteBuffer
  ) -> Result<Request.Reply, RPCError> {
    do throws(MessagePackError) {
      return .success(request.reply(try Request.Response(decoding: body)))
    } catch {
      return .failure(.malformed("\(error)"))
    }
  }
}

extension FieldValue {
  /// Decodes one MessagePack value.
  init(decoding body: ByteBuffer) throws(MessagePackError) {
    let result = body.withUnsafeReadableBytes { bytes in
      Result { () throws(MessagePackError) in
        var reader = MessagePackReader(bytes)
        return try Self(from: &reader)
      }
    }
    self = try result.get()
  }
}
