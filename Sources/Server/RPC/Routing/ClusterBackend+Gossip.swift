import Model
import NIOCore

/// What needs the gossip of a server.
extension ClusterBackend {
  // MARK: Keys

  /// Shows or changes the keys of the pools, in all datacenters unless the request says otherwise.
  ///
  /// The caller has checked what the token may do here; other datacenters check it themselves.
  public func keyring(
    _ request: KeyringRequest, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<[KeyringResponse], ServerError>) -> Void
  ) {
    carryOut(request, on: loop) { completion($0.map(\.responses)) }
  }

  /// Carries a request out here and, if nobody has yet, sends it to all datacenters.
  func carryOut(
    _ request: KeyringRequest, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<KeyringResponses, ServerError>) -> Void
  ) {
    guard let operation = KeyringOperation(name: request.operation, key: request.key) else {
      return completion(.failure(.invalid("Invalid keyring operation \"\(request.operation)\"")))
    }
    if request.localOnly, operation != .list {
      return completion(
        .failure(.invalid("argument error: LocalOnly can only be used for List operations")))
    }
    guard let gossip = gossip.current else { return completion(.failure(.rejected("gossip does not run"))) }
    Task {
      var result = KeyringResponses()
      let goesWide = gossip.hasWAN && !request.localOnly && !request.forwarded
      if goesWide {
        result.responses.append(await gossip.keyring(operation, relayFactor: request.relayFactor, wan: true))
      }
      result.responses.append(await gossip.keyring(operation, relayFactor: request.relayFactor, wan: false))
      if goesWide { result.responses += await self.askOthers(request, on: loop) }
      let all = result
      loop.execute { completion(.success(all)) }
    }
  }

  private func askOthers(_ request: KeyringRequest, on loop: any EventLoop) async -> [KeyringResponse] {
    await withTaskGroup(of: (Int, [KeyringResponse]).self) { tasks in
      let others = datacenters.filter { $0 != datacenter }
      for (place, name) in others.enumerated() {
        tasks.addTask { (place, await self.ask(name, request, on: loop)) }
      }
      var answers = [[KeyringResponse]](repeating: [], count: others.count)
      for await (place, answer) in tasks { answers[place] = answer }
      return answers.flatMap { $0 }
    }
  }

  /// A datacenter that cannot be asked shows as one whose members did not answer.
  private func ask(_ name: String, _ request: KeyringRequest, on loop: any EventLoop) async -> [KeyringResponse] {
    var forwarded = request
    forwarded.forwarded = true
    forwarded.datacenter = name
    let body = ByteBuffer.messagePack(forwarded)
    let wish = Wish(anyServer: "Internal.KeyringOperation", datacenter: name)
    let result: Result<KeyringResponses, ServerError> = await withCheckedContinuation { continuation in
      ask(wish, body, on: loop) { continuation.resume(returning: $0) }
    }
    switch result {
    case .success(let answer): return answer.responses
    case .failure(let error):
      var response = KeyringResponse()
      response.datacenter = name
      response.error = error.description
      return [response]
    }
  }

  // MARK: Events

  /// Sends a user event to all agents of this datacenter.
  func fire(_ request: EventFireRequest) throws(ServerError) {
    guard let gossip = gossip.current else { throw .rejected("gossip does not run") }
    try gossip.fire(event: request.name, payload: request.payload.bytes)
  }

  /// Has a server of another datacenter send a user event there.
  public func fireEvent(
    _ name: String, payload: [UInt8], datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    var request = EventFireRequest()
    request.datacenter = datacenter
    request.name = name
    request.payload = Bytes(payload)
    request.options.token = token
    let wish = Wish(anyServer: "Internal.EventFire", datacenter: datacenter, isRead: false)
    ask(wish, .messagePack(request), on: loop) { (result: Result<EventFireResponse, ServerError>) in
      completion(result.map { _ in })
    }
  }

  // MARK: Datacenters

  /// Where the servers of all datacenters are, by datacenter; on a client, as its server tells it.
  public func datacenterMaps(
    on loop: any EventLoop, _ completion: @escaping @Sendable (Result<[DatacenterMap], ServerError>) -> Void
  ) {
    if server != nil { return datacenterMaps(on: loop) { completion(.success($0)) } }
    let wish = Wish(anyServer: "Coordinate.ListDatacenters", datacenter: "")
    ask(wish, .messagePack(RPCEmpty()), on: loop) { (result: Result<RPCList<DatacenterMap>, ServerError>) in
      completion(result.map(\.elements))
    }
  }

  /// The same on a server.
  func datacenterMaps(on loop: any EventLoop, _ completion: @escaping @Sendable ([DatacenterMap]) -> Void) {
    guard let gossip = gossip.current else { return completion([]) }
    Task {
      let maps = await gossip.datacenterMaps()
      loop.execute { completion(maps) }
    }
  }

  /// All known datacenters, nearest first; on a client, as its server tells it.
  public func datacenters(
    on loop: any EventLoop, _ completion: @escaping @Sendable (Result<[String], ServerError>) -> Void
  ) {
    if server != nil { return completion(.success(datacenters)) }
    let wish = Wish(anyServer: "Catalog.ListDatacenters", datacenter: "")
    ask(wish, .messagePack(DatacentersRequest()), on: loop) { (result: Result<RPCList<String>, ServerError>) in
      completion(result.map(\.elements))
    }
  }

  // MARK: Who leads

  /// RPC address of the leader of a datacenter, "" where none is known.
  public func leaderAddress(
    in datacenter: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<String, ServerError>) -> Void
  ) {
    if let server, isOwn(datacenter) { return completion(.success(server.leaderAddress)) }
    ask("Status.Leader", in: datacenter, on: loop, completion)
  }

  /// RPC addresses of the servers of consensus of a datacenter.
  public func peerAddresses(
    in datacenter: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<[String], ServerError>) -> Void
  ) {
    if let server, isOwn(datacenter) { return completion(.success(server.peerAddresses)) }
    ask("Status.Peers", in: datacenter, on: loop) { (result: Result<RPCList<String>, ServerError>) in
      completion(result.map(\.elements))
    }
  }

  private func ask<Reply: FieldValue>(
    _ method: String, in datacenter: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Reply, ServerError>) -> Void
  ) {
    var request = DCSpecificRequest()
    request.datacenter = datacenter
    var wish = Wish(anyServer: method, datacenter: datacenter)
    wish.mayBeHeld = false
    ask(wish, .messagePack(request), on: loop, completion)
  }

  /// Asks another server.
  func ask<Reply: FieldValue>(
    _ wish: Wish, _ body: ByteBuffer, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Reply, ServerError>) -> Void
  ) {
    _ = route(
      wish, on: loop, { (result: Result<Reply, RouteError>) in completion(result.mapError(\.serverError)) },
      // Whoever could answer here has done so.
      here: { done in
        done(.failure(.noServers))
        return nil
      },
      there: { [client] address, done in
        client.call(wish.method, body, to: address, on: loop) { result in
          done(
            result.flatMap { body in
              Result { () throws(MessagePackError) in try Reply(decoding: body) }.mapError { .malformed("\($0)") }
            })
        }
      })
  }
}
