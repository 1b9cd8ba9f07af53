import GRPC
import Model
import NIOCore
import NIOHPACK

/// The service `hashicorp.consul.internal.operator.OperatorService`: handing leadership over, wherever an operator asks for it
/// (wire/rpc.md, section 10). Server and caller in one: whoever is not the leader passes the request on.
public struct OperatorService: Sendable {
  static let path = "/hashicorp.consul.internal.operator.OperatorService/TransferLeader"
  private static let tokenHeader = "x-consul-token"

  private let backend: ClusterBackend
  private let connections: StreamConnections

  /// - Parameter connections: how other servers are reached.
  public init(_ backend: ClusterBackend, connections: StreamConnections) {
    self.backend = backend
    self.connections = connections
  }

  public func register(in grpc: inout GRPCServer) {
    grpc.unary(Self.path) { [self] request, message, loop, completion in
      guard let wanted = try? TransferLeaderRequest(message) else {
        return completion(.failure(GRPCStatus(.internal, "grpc: error unmarshalling request")))
      }
      let token = request.metadata.first(name: Self.tokenHeader) ?? ""
      transferLeadership(to: wanted.id, token: token, on: loop) { result in
        completion(
          result.map { TransferLeaderResponse(success: true).protobuf() }.mapError { Self.status(of: $0) })
      }
    }
  }

  /// Has the leader hand over.
  ///
  /// - Parameter id: of the server that is to lead; "" for the one that is furthest along.
  public func transferLeadership(
    to id: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    _ = backend.route(
      Wish(write: "OperatorService.TransferLeader", datacenter: ""), on: loop,
      { (result: Result<Void, RouteError>) in completion(result.mapError(\.serverError)) },
      here: { [server = backend.server] done in
        guard let server else {
          done(.failure(.noServers))
          return nil
        }
        do throws(ServerError) {
          try server.require(.operatorWrite, token: token)
          server.transferLeadership(to: id) { result in loop.execute { done(result) } }
        } catch {
          done(.failure(error))
        }
        return nil
      },
      there: { address, done in
        forward(id, token, to: address) { result in loop.execute { done(result) } }
        return nil
      })
  }

  private func forward(
    _ id: String, _ token: String, to address: String, _ done: @escaping @Sendable (Result<Void, RPCError>) -> Void
  ) {
    connections.connection(to: address) { result in
      switch result {
      case .failure(let status): done(.failure(.connecting(status.message)))
      case .success(let connection):
        var metadata = HPACKHeaders()
        if !token.isEmpty { metadata.add(name: Self.tokenHeader, value: token) }
        // The other server waits for its leader as this one would.
        metadata.add(name: "grpc-timeout", value: "30S")
        let message = TransferLeaderRequest(id: id).protobuf()
        connection.loop.execute { [metadata] in
          connection.call(
            Self.path, message, metadata: metadata,
            StatusReceiver { status in done(status.code == .ok ? .success(()) : .failure(.remote(status.message))) })
        }
      }
    }
  }

  private static func status(of error: ServerError) -> GRPCStatus {
    switch error {
    case .permissionDenied, .denied, .tokenNotFound: GRPCStatus(.permissionDenied, error.description)
    case .noLeader, .noServers: GRPCStatus(.unavailable, error.description)
    default: GRPCStatus(.unknown, error.description)
    }
  }
}

struct TransferLeaderRequest: ProtobufMessage, Equatable {
  var id = ""

  init() {}
  init(id: String) { self.id = id }

  init(_ message: ByteBuffer) throws(ProtobufError) { self = try Self(protobuf: Array(message.readableBytesView)) }

  static let layout = ProtobufLayout<TransferLeaderRequest> { $0.field(1, \.id) }
}

struct TransferLeaderResponse: ProtobufMessage, Equatable {
  var success = false

  init() {}
  init(success: Bool) { self.success = success }

  static let layout = ProtobufLayout<TransferLeaderResponse> { $0.field(1, \.success) }
}

/// Wants to know how a call ended, and nothing else.
private final class StatusReceiver: GRPCResponses {
  private let done: @Sendable (GRPCStatus) -> Void

  init(_ done: @escaping @Sendable (GRPCStatus) -> Void) { self.done = done }

  func received(_ message: ByteBuffer) {}
  func ended(_ status: GRPCStatus) { done(status) }
}
