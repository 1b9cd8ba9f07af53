import Model
import Server
import State
import Telemetry

/// Calls of the servers on behalf of a request.
extension Exchange {
  /// Runs a query, now or when its answer changed, and hands the answer on.
  func read<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, _ answer: @escaping @Sendable (Answer<Query.Reply>) -> Void
  ) {
    guard isOpen else { return }
    RequestMetrics.calls.increment()
    asksServers()
    let waiting = api.backend.query(query, options, on: loop) { [self] result in
      switch result {
      case .success(let value):
        traceCall(Query.method, "read", options, isError: false)
        answer(value)
      case .failure(let error):
        traceCall(Query.method, "read", options, isError: true)
        failRead(error)
      }
    }
    if isOpen { pending = waiting }
  }

  /// The same through the agent's cache, where the request asks for that.
  func readCached<Query: CacheableQuery>(
    _ query: Query, _ options: QueryOptions, _ answer: @escaping @Sendable (Answer<Query.Reply>) -> Void
  ) {
    guard options.cache != nil else { return read(query, options, answer) }
    asksServers()
    follow(api.cache.query(query, options, on: loop) { [self] in takeCached($0, answer) })
  }

  /// The health of a service, which a stream of events may keep current on an agent that has no server of its own: through
  /// the cache where the request asks for that, and for requests that wait.
  func readFollowed<Query: CacheableQuery>(
    _ query: Query, _ options: QueryOptions, _ answer: @escaping @Sendable (Answer<Query.Reply>) -> Void
  ) {
    guard api.cache.views != nil, options.cache == nil, options.minIndex > 0 else {
      return readCached(query, options, answer)
    }
    asksServers()
    follow(
      api.cache.follow(query, options, on: loop) { [self] result in
        switch result {
        case .success(let found): answer(found.answer)
        case .failure(let error): failRead(error)
        }
      })
  }

  /// Hands on what came through the cache, and notes how it came.
  func takeCached<Reply>(
    _ result: Result<CachedAnswer<Reply>, ServerError>, _ answer: (Answer<Reply>) -> Void
  ) {
    switch result {
    case .success(let cached):
      note(cached)
      answer(cached.answer)
    case .failure(let error): failRead(error)
    }
  }

  /// Gives a call up when the client goes away.
  func follow(_ call: (any PendingQuery)?) {
    if isOpen, let call { pending = call }
  }

  /// Sends a change to the servers and hands the result on.
  func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, _ answer: @escaping @Sendable (Request.Reply) -> Void
  ) {
    RequestMetrics.calls.increment()
    asksServers()
    api.backend.write(request, datacenter: datacenter, token: token, on: loop) { [self] result in
      switch result {
      case .success(let value):
        traceCall(Request.method, "write", nil, isError: false)
        answer(value)
      case .failure(let error):
        traceCall(Request.method, "write", nil, isError: true)
        fail(HTTPError(error))
      }
    }
  }

  /// Tells the log which call of the servers was answered.
  private func traceCall(_ method: String, _ kind: String, _ options: QueryOptions?, isError: Bool) {
    guard LogOutput.shared.wants(.trace) else { return }
    LogOutput.shared.log(
      .trace, "agent.server", "rpc_server_call",
      [
        "allow_stale": String(options?.consistency == .stale), "blocking": String((options?.minIndex ?? 0) > 0),
        "errored": String(isError), "method": method, "request_type": kind,
      ])
  }

  /// The headers that tell where an answer came from.
  func meta<Reply>(_ answer: Answer<Reply>, _ options: QueryOptions, isStreamed: Bool = false) -> QueryMeta {
    var meta = QueryMeta()
    meta.index = answer.index
    meta.lastContact = answer.lastContactMilliseconds
    meta.knownLeader = answer.knownLeader && !isStreamed
    meta.isStreamed = isStreamed
    if showsConsistency { meta.consistency = QueryMeta.Consistency(options.consistency) }
    return meta
  }

  func head<Reply>(_ answer: Answer<Reply>, _ options: QueryOptions, isStreamed: Bool = false) -> ResponseHead {
    var head = head(meta: meta(answer, options, isStreamed: isStreamed))
    head.isFiltered = answer.isFiltered
    return head
  }

  /// The head of a successful answer, with what it tells of the agent's memory.
  func head(meta: QueryMeta? = nil) -> ResponseHead {
    var head = ResponseHead(.ok, .json, meta: meta)
    switch cacheNote {
    case nil: break
    case .miss: head.headers.append(("X-Cache", "MISS"))
    case .hit(let age):
      head.headers.append(("X-Cache", "HIT"))
      head.headers.append(("Age", String(age)))
    }
    return head
  }
}

extension QueryMeta.Consistency {
  init(_ consistency: QueryOptions.Consistency) {
    self =
      switch consistency {
      case .leaseBased: .leader
      case .consistent: .consistent
      case .stale: .stale
      }
  }
}
