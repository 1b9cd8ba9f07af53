import AccessControl
import Model
import NIOCore

// Methods that are not about the replicated state: any server of the datacenter carries them out, or the leader.

extension RPCMethodTable {
  mutating func registerGossip() {
    leader("Operator.AutopilotState") { (server, _: DCSpecificRequest) in AutopilotStateReply(server.autopilotState) }
    anyServer("Internal.KeyringOperation") { [backend] (request: KeyringRequest, call) in
      let right: Permission = request.operation == KeyringOperation.list.name ? .keyringRead : .keyringWrite
      guard call.allows(right, request.options.token) else { return }
      backend.carryOut(request, on: call.loop) { call.conclude($0) }
    }
    anyServer("Internal.EventFire", isRead: false) { [backend] (request: EventFireRequest, call) in
      guard call.allows(.eventWrite(request.name), request.options.token) else { return }
      call.conclude(
        Result { () throws(ServerError) in
          try backend.fire(request)
          return EventFireResponse()
        })
    }
    anyServer("Coordinate.ListDatacenters") { [backend] (_: AnyServerRequest, call) in
      backend.datacenterMaps(on: call.loop) { call.done(RPCList($0)) }
    }
  }

  /// A question that any server of the datacenter answers, or forwards if it is about another datacenter.
  mutating func anyServer<Arguments: RPCReadRequest>(
    _ name: String, isRead: Bool = true, _ answer: @escaping @Sendable (Arguments, AnyServerCall) -> Void
  ) {
    register(name) { [backend, server] body, loop, completion in
      let request: Arguments
      do throws(MessagePackError) {
        request = try Arguments(decoding: body)
      } catch {
        completion(.failure(.undecodable(error)))
        return nil
      }
      let wish = Wish(anyServer: name, datacenter: request.datacenter, isRead: isRead)
      return backend.route(wish, body, on: loop, completion) { completion in
        server.whenKnown(request.options.token, on: loop) {
          answer(request, AnyServerCall(server: server, loop: loop, completion: completion))
        }
        return nil
      }
    }
  }
}

/// A question that this server answers, whoever leads.
struct AnyServerCall: Sendable {
  let server: ServerNode
  let loop: any EventLoop
  let completion: RPCMethods.LocalCompletion

  func done(_ reply: some FieldValue) { completion(.success(.messagePack(reply))) }

  func conclude(_ result: Result<some FieldValue, ServerError>) {
    completion(result.map { ByteBuffer.messagePack($0) })
  }

  /// Whether the token has the right; without it, the call has been answered.
  func allows(_ permission: Permission, _ token: String) -> Bool {
    do throws(ServerError) {
      try server.require(permission, token: token)
      return true
    } catch {
      completion(.failure(error))
      return false
    }
  }
}

/// A request without any argument, which every read may carry nonetheless.
struct AnyServerRequest: RPCReadRequest {
  var datacenter = ""
  var options = RPCQueryOptions()

  init() {}

  static let schema = Schema<AnyServerRequest>("struct{}") {
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}
