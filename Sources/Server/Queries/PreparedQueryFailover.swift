import Model
import NIOCore

extension Backend {
  public typealias PreparedQueryOutcome = Result<PreparedQueryResult, PreparedQueryError>

  /// Carries a prepared query out and, where it finds nothing healthy, asks the other places that it names, one after the
  /// other, until one has something.
  public func execute(
    _ query: PreparedQueryExecute, _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<PreparedQueryOutcome>, ServerError>) -> Void
  ) {
    self.query(query, options, on: loop) { result in
      guard case .success(let answer) = result, case .success(let found) = answer.value, found.instances.isEmpty else {
        return completion(result)
      }
      let targets = FailoverTargets(found.failover, datacenters: self.datacenters, own: query.datacenter).list
      var search = FailoverSearch(answer: answer, found: found, targets: targets[...])
      search.options = options
      search.limit = query.limit
      search.connect = query.connect
      search.home = query.datacenter
      self.goOn(search, on: loop, completion)
    }
  }

  private func goOn(
    _ search: FailoverSearch, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<PreparedQueryOutcome>, ServerError>) -> Void
  ) {
    var search = search
    guard search.found.instances.isEmpty, let target = search.targets.popFirst() else {
      return completion(.success(search.answer))
    }
    search.found.failovers += 1
    var options = search.options
    options.datacenter = target.datacenter
    let next = search
    query(search.query(for: target), options, on: loop) { result in
      var search = next
      // A place that cannot be asked has nothing to offer.
      if case .success(let answer) = result { search.take(answer) }
      self.goOn(search, on: loop, completion)
    }
  }
}

/// The places that a query may fail over to.
struct FailoverTargets {
  let list: [QueryFailoverTarget]

  /// - Parameters:
  ///   - datacenters: all that are known, nearest first.
  ///   - own: the one where nothing was found.
  init(_ failover: QueryFailoverOptions, datacenters: [String], own: String) {
    let known = Set(datacenters)
    if !failover.targets.isEmpty {
      list = failover.targets.filter { $0.datacenter.isEmpty || known.contains($0.datacenter) }
      return
    }
    var seen: Set<String> = []
    let nearest = datacenters.filter { $0 != own }.prefix(max(failover.nearestN, 0))
    let named = failover.datacenters.filter(known.contains)
    list = (nearest + named).filter { seen.insert($0).inserted }.map { datacenter in
      var target = QueryFailoverTarget()
      target.datacenter = datacenter
      return target
    }
  }
}

/// A failover under way.
private struct FailoverSearch: Sendable {
  var answer: Answer<Result<PreparedQueryResult, PreparedQueryError>>
  var found: PreparedQueryResult { didSet { answer.value = .success(found) } }
  var targets: ArraySlice<QueryFailoverTarget>
  var options = QueryOptions()
  var limit = 0
  var connect = false
  /// The datacenter that keeps what peers share.
  var home = ""

  init(
    answer: Answer<Result<PreparedQueryResult, PreparedQueryError>>, found: PreparedQueryResult,
    targets: ArraySlice<QueryFailoverTarget>
  ) {
    self.answer = answer
    self.found = found
    self.targets = targets
  }

  func query(for target: QueryFailoverTarget) -> PreparedQueryExecuteRemote {
    var query = found.query
    query.service.peer = target.peer
    return PreparedQueryExecuteRemote(
      query, limit: limit, connect: connect, datacenter: target.datacenter.isEmpty ? home : target.datacenter)
  }

  mutating func take(_ other: Answer<PreparedQueryResult>) {
    found.instances = other.value.instances
    found.datacenter = other.value.datacenter
    found.peer = other.value.peer
    answer.isFiltered = answer.isFiltered || other.isFiltered
  }
}
