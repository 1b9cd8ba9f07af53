import AccessControl
import GRPC
import Model
import NIOCore

/// The service `subscribe.StateChangeSubscription`: agents follow the health of services by a stream of events instead of
/// asking again and again (wire/rpc.md, section 10.1).
public struct SubscribeService: Sendable {
  static let path = "/subscribe.StateChangeSubscription/Subscribe"

  private let server: ServerNode
  private let publisher: EventPublisher
  private let connections: StreamConnections

  /// - Parameter connections: how servers of other datacenters are reached.
  public init(_ server: ServerNode, group: any EventLoopGroup, connections: StreamConnections) {
    self.server = server
    self.connections = connections
    publisher = EventPublisher(server.store, group: group)
  }

  public func register(in grpc: inout GRPCServer) {
    grpc.serverStreaming(Self.path) { [self] _, message, call in
      do throws(GRPCStatus) {
        return try begin(message, call)
      } catch {
        call.finish(error)
        return nil
      }
    }
  }

  private func begin(_ message: ByteBuffer, _ call: GRPCServerCall) throws(GRPCStatus) -> any GRPCCallHandler {
    let request: SubscribeRequest
    do throws(ProtobufError) {
      request = try SubscribeRequest(message)
    } catch {
      throw GRPCStatus(.internal, "grpc: error unmarshalling request: \(error)")
    }
    if !request.datacenter.isEmpty, request.datacenter != server.datacenter {
      return try forward(message, to: request.datacenter, call)
    }
    let subject = try Self.subject(request)
    // A server that has just started knows nothing of the cluster yet, which is not the same as an empty one.
    guard server.hasHeardFromLeader else { throw GRPCStatus(.unavailable, ServerError.noLeader.description) }
    let subscription = Subscription(call, publisher, server.store, try rights(request.token))
    subscription.start(subject, seen: request.index)
    return subscription
  }

  private func rights(_ token: String) throws(GRPCStatus) -> Subscription.Rights? {
    guard let resolver = server.access else { return nil }
    guard resolver.knows(token) else {
      // Subscribers come back in a moment, and it is known by then.
      resolver.find(token) {}
      throw GRPCStatus(.unavailable, "the primary datacenter is being asked about the token")
    }
    do throws(AccessControlError) {
      let authorizer = try resolver.authorizer(for: token)
      return Subscription.Rights(
        authorizer: authorizer, audience: QueryAudience(token, authorizer, resolver),
        isAnonymous: token.isEmpty || token == ACLToken.anonymousSecret.revealed)
    } catch {
      throw GRPCStatus(.permissionDenied, ServerError.tokenNotFound.description)
    }
  }

  /// What a request is about.
  static func subject(_ request: SubscribeRequest) throws(GRPCStatus) -> TopicSubject {
    guard let topic = StreamTopic(rawValue: request.topic), topic != .unknown else {
      throw GRPCStatus(.invalidArgument, "no topic has the number \(request.topic)")
    }
    let peer = request.namedSubject?.peerName ?? request.peerName
    guard peer.isEmpty else { throw GRPCStatus(.unimplemented, "nothing is known of the peer \"\(peer)\"") }
    switch topic {
    case .serviceHealth, .serviceHealthConnect:
      let name = request.namedSubject?.key ?? request.key
      guard !request.wildcardSubject, !name.isEmpty else {
        throw GRPCStatus(.invalidArgument, "the topic \(topic) needs the name of a service for its subject")
      }
      return .health(name.folded, connect: topic == .serviceHealthConnect)
    case .serviceList:
      guard request.wildcardSubject else {
        throw GRPCStatus(.invalidArgument, "the topic \(topic) has only the wildcard for its subject")
      }
      return .serviceNames
    default: throw GRPCStatus(.unimplemented, "the topic \(topic) is not offered")
    }
  }

  // MARK: Other datacenters

  private func forward(
    _ message: ByteBuffer, to datacenter: String, _ call: GRPCServerCall
  ) throws(GRPCStatus) -> any GRPCCallHandler {
    guard server.members.datacenters.contains(datacenter) else {
      throw GRPCStatus(.unavailable, ServerError.noPathToDatacenter(datacenter).description)
    }
    let servers = server.members.candidates(in: datacenter).map(\.rpcAddress).shuffled()
    guard !servers.isEmpty else {
      throw GRPCStatus(.unavailable, ServerError.datacenterUnreachable(datacenter).description)
    }
    let forwarded = ForwardedSubscription(call)
    connect(forwarded, Array(message.readableBytesView), to: servers[...])
    return forwarded
  }

  /// Asks the first of the servers that can be reached.
  private func connect(_ forwarded: ForwardedSubscription, _ request: [UInt8], to servers: ArraySlice<String>) {
    guard let address = servers.first else { return }
    connections.connection(to: address) { [self] result in
      if case .failure = result, servers.count > 1 {
        connect(forwarded, request, to: servers.dropFirst())
      } else {
        forwarded.take(result, request)
      }
    }
  }
}

extension ProtobufMessage {
  init(_ message: ByteBuffer) throws(ProtobufError) {
    let result = message.withUnsafeReadableBytes { bytes in
      Result { () throws(ProtobufError) in try Self(protobuf: bytes) }
    }
    self = try result.get()
  }
}

/// A subscription that another server answers: its messages go on as the bytes that came, as fast as the subscriber takes
/// them.
private final class ForwardedSubscription: GRPCCallHandler, GRPCResponses, @unchecked Sendable {
  // Sendable: what changes is used on the loop of `call` only.

  private let call: GRPCServerCall
  private var there: GRPCClientCall?

  init(_ call: GRPCServerCall) { self.call = call }

  func take(_ connection: Result<GRPCConnection, GRPCStatus>, _ request: [UInt8]) {
    call.onLoop { [self] in
      guard call.isOpen else { return }
      switch connection {
      case .success(let connection):
        call.sendHead()
        there = connection.call(SubscribeService.path, request, self)
      case .failure(let status): call.finish(status)
      }
    }
  }

  // MARK: The other server

  func received(_ message: ByteBuffer) {
    call.onLoop { [self] in
      guard call.isOpen else { return }
      call.send(ByteBuffer(grpcMessage: message.readableBytesView))
      if !call.isWritable { there?.setReading(false) }
    }
  }

  func ended(_ status: GRPCStatus) { call.onLoop { [call] in call.finish(status) } }

  // MARK: The subscriber

  func becameWritable() { there?.setReading(true) }

  func ended() {
    there?.cancel()
    there = nil
  }
}
