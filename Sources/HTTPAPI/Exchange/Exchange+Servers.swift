import Model
import Server
import State

/// Calls of the servers on behalf of a request.
extension Exchange {
  /// Runs a query, now or when its answer changed, and hands the answer on.
  func read<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, _ answer: @escaping @Sendable (Answer<Query.Reply>) -> Void
  ) {
    guard isOpen else { return }
    RequestMetrics.calls.increment()
    let waiting = api.backend.query(query, options, on: loop) { [self] result in
      switch result {
      case .success(let value): answer(value)
      case .failure(let error): failRead(error)
      }
    }
    if isOpen { pending = waiting }
  }

  /// Sends a change to the servers and hands the result on.
  func write<Request: WriteRequest>(
    _ request: Request, datacenter: String, _ answer: @escaping @Sendable (Request.Reply) -> Void
  ) {
    RequestMetrics.calls.increment()
    api.backend.write(request, datacenter: datacenter, token: token, on: loop) { [self] result in
      switch result {
      case .success(let value): answer(value)
      case .failure(let error): fail(HTTPError(error))
      }
    }
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
    head(meta: meta(answer, options, isStreamed: isStreamed))
  }

  /// The head of a successful answer, with what it tells of the agent's memory.
  func head(meta: QueryMeta? = nil) -> ResponseHead {
    var head = ResponseHead(.ok, .json, meta: meta)
    switch cacheState {
    case nil: break
    case .miss: head.headers.append(("X-Cache", "MISS"))
    case .hit:
      head.headers.append(("X-Cache", "HIT"))
      head.headers.append(("Age", "0"))
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
