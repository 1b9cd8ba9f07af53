import Model
import NIOCore

/// What operators ask of the leader, wherever they ask.
extension ClusterBackend {
  /// The servers of consensus.
  public func raftConfiguration(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<RaftConfigurationResponse, ServerError>) -> Void
  ) {
    ask("Operator.RaftGetConfiguration", options, on: loop, here: { $0.raftConfigurationResponse }, completion)
  }

  /// The health of the servers, as their leader sees it.
  public func autopilotState(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<AutopilotState, ServerError>) -> Void
  ) {
    ask("Operator.ServerHealth", options, on: loop, here: { $0.autopilotHealth }) { result in
      completion(result.map { AutopilotState($0) })
    }
  }

  /// How far a datacenter has followed the primary one.
  public func replicationStatus(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<ACLReplicationStatus, ServerError>) -> Void
  ) {
    ask("ACL.ReplicationStatus", options, on: loop, here: { $0.replicationStatus }, completion)
  }

  /// What a token may do in a datacenter.
  public func authorize(
    _ questions: [ACLAuthorizationRequest], _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<[ACLAuthorizationResponse], ServerError>) -> Void
  ) {
    var request = RemoteACLAuthorizationRequest()
    request.requests = questions
    request.datacenter = options.datacenter
    request.options = RPCQueryOptions(options)
    if let server, isOwn(options.datacenter) {
      return server.whenKnown(options.token, on: loop) { [request] in
        completion(Result { () throws(ServerError) in try request.answers(server.requestAccess(options.token)) })
      }
    }
    request.options.token = tokenAbroad(options.token)
    ask(Wish(anyServer: "ACL.Authorize", datacenter: options.datacenter), .messagePack(request), on: loop) {
      (result: Result<RPCList<ACLAuthorizationResponse>, ServerError>) in
      completion(result.map(\.elements))
    }
  }

  /// Takes a server out of consensus, named by its id or else by its address. The leader does it.
  public func removePeer(
    _ request: RaftRemovePeerRequest, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    let method = request.id.isEmpty ? "Operator.RaftRemovePeerByAddress" : "Operator.RaftRemovePeerByID"
    _ = route(
      Wish(write: method, datacenter: request.datacenter), on: loop,
      { (result: Result<Void, RouteError>) in completion(result.mapError(\.serverError)) },
      here: { [server] done in
        guard let server else {
          done(.failure(.noServers))
          return nil
        }
        server.removePeer(id: request.id, address: request.address) { result in loop.execute { done(result) } }
        return nil
      },
      there: { [client] address, done in
        client.call(method, .messagePack(request), to: address, on: loop) { done($0.map { _ in }) }
      })
  }

  private func ask<Reply: Record>(
    _ method: String, _ options: QueryOptions, on loop: any EventLoop, here: @escaping @Sendable (ServerNode) -> Reply,
    _ completion: @escaping @Sendable (Result<Reply, ServerError>) -> Void
  ) {
    _ = route(
      Wish(method, options), on: loop,
      { (result: Result<Reply, RouteError>) in completion(result.mapError(\.serverError)) },
      here: { [server] done in
        done(server.map { .success(here($0)) } ?? .failure(.noServers))
        return nil
      },
      there: { [client, datacenter] address, done in
        var request = DCSpecificRequest()
        request.datacenter = options.datacenter.isEmpty ? datacenter : options.datacenter
        request.options = RPCQueryOptions(options)
        return client.call(method, .messagePack(request), to: address, on: loop) { result in
          done(
            result.flatMap { body in
              Result { () throws(MessagePackError) in try Reply(decoding: body) }.mapError { .malformed("\($0)") }
            })
        }
      })
  }
}

extension AutopilotState {
  /// As the leader told it.
  init(_ reply: AutopilotHealthReply) {
    let leader = reply.servers.first(where: \.isLeader)?.id ?? ""
    self.init(leader: leader, servers: reply.servers.map { Server($0) })
  }
}

extension AutopilotState.Server {
  init(_ health: AutopilotServerHealth) {
    var seen = ServerObservation(id: health.id, address: health.address)
    let names = ["none", "alive", "leaving", "left", "failed"]
    seen.name = health.name
    seen.nodeStatus = names.indices.contains(health.serfStatus) ? names[health.serfStatus] : "none"
    seen.version = health.version
    seen.meta = ["consul-version": health.version]
    seen.isVoter = health.isVoter
    seen.lastContact = health.lastContact.nanoseconds < 0 ? nil : health.lastContact
    seen.lastTerm = health.lastTerm
    seen.lastIndex = health.lastIndex
    self.init(
      observation: seen, isLeader: health.isLeader, isHealthy: health.isHealthy, stableSince: health.stableSince)
  }
}
