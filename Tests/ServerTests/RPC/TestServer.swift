import Consensus
import GRPC
import Logging
import Model
import NIOCore
import NIOPosix
import Server
import TransportSecurity

/// A server with its port, as an agent would run it.
final class TestServer: Sendable {
  static let port = 28300

  let id: String
  let host: String
  let node: ServerNode
  let backend: ClusterBackend
  let client: RPCClient
  let loop: any EventLoop
  let group = MultiThreadedEventLoopGroup.singleton
  let methods: RPCMethods
  /// Streams of other servers.
  let streams: StreamConnections
  let operators: OperatorService
  private let listener: ServerListener

  var address: String { "\(host):\(Self.port)" }

  static func configuration(_ hosts: [String]) -> RaftConfiguration {
    RaftConfiguration(
      servers: hosts.enumerated().map { RaftServer(id: "s\($0 + 1)", address: "\($1):\(port)") })
  }

  static func member(
    _ number: Int, _ host: String, datacenter: String = "dc1", usesTLS: Bool = false
  ) -> ClusterMember {
    var tags = [
      "role": "consul", "dc": datacenter, "id": "s\(number)", "port": String(port), "vsn": "2", "raft_vsn": "3",
      "build": "1.21.4:",
    ]
    if usesTLS { tags["use_tls"] = "1" }
    return ClusterMember(name: "s\(number)", address: host, port: 8301, tags: tags)
  }

  /// Starts the server with this number of a cluster.
  init(
    _ number: Int, of hosts: [String], datacenter: String = "dc1", storage: RaftStorage = .memory(),
    bootstrap: Bool = true, holdTimeout: TimeAmount = .seconds(7), accessControl: AccessControlSettings? = nil,
    coordinatePeriod: GoDuration = .seconds(5), security: TransportSecurity? = nil,
    authority: AuthoritySettings? = nil, autoConfiguration: AutoConfigService? = nil, streams: Bool = true,
    log: LogLines? = nil, listen: (inout ServerListener.Settings) -> Void = { _ in }
  ) async throws {
    id = "s\(number)"
    host = hosts[number - 1]
    let address = "\(host):\(Self.port)"
    loop = group.any()
    let logger = log?.logger ?? Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let members = MemberTable(datacenter: datacenter)
    for (index, host) in hosts.enumerated() {
      members.put(Self.member(index + 1, host, datacenter: datacenter, usesTLS: security != nil))
    }
    let outgoing = security.map { OutgoingSecurity($0, members: members) }
    let upgrade: @Sendable (String) -> RPCClient.Upgrade? = { outgoing?.upgrade(to: $0) }
    let options = RaftOptions(
      id: id, address: address, settings: .scaled(multiplier: 1),
      bootstrap: bootstrap ? Self.configuration(hosts) : nil, logger: logger)
    var raft = RaftConnections.Settings()
    raft.localAddress = host
    raft.upgrade = upgrade
    let connections = RaftConnections(id: id, address: address, group: group, settings: raft)
    var serverSettings = ServerNode.Settings(
      datacenter: datacenter,
      member: Self.member(number, host, datacenter: datacenter, usesTLS: security != nil), logger: logger)
    serverSettings.accessControl = accessControl
    serverSettings.coordinates.period = coordinatePeriod
    serverSettings.authority = authority
    serverSettings.autoConfiguration = autoConfiguration
    node = try ServerNode(
      settings: serverSettings,
      members: members,
      raftOptions: options, storage: storage, transport: connections, loop: loop)
    var settings = RPCClient.Settings()
    settings.localAddress = host
    settings.upgrade = upgrade
    client = RPCClient(group: group, settings: settings, logger: logger)
    backend = ClusterBackend(node, client: client, holdTimeout: holdTimeout)
    methods = RPCMethods(backend, server: node)
    var port = ServerListener.Settings()
    // A busy machine may take long to write the first byte; tests of this limit set their own.
    port.handshakeTimeout = .seconds(60)
    port.security = security.map { PortSecurity($0, datacenter: "dc1") }
    listen(&port)
    var grpc = GRPCServer()
    self.streams = StreamConnections(group: group, settings: settings)
    operators = OperatorService(backend, connections: self.streams)
    operators.register(in: &grpc)
    if streams { SubscribeService(node, group: group, connections: self.streams).register(in: &grpc) }
    listener = ServerListener(
      ServerProtocols(
        methods: methods, raft: connections,
        strangers: RPCMethods(strangersOf: backend, server: node, security.map { AutoEncryptSettings($0) }), grpc: grpc),
      group: group, settings: port, logger: logger)
    try await listener.start(host: host, port: Self.port)
  }

  func stop() async {
    await listener.stop()
    streams.shutdown()
    client.shutdown()
    await withCheckedContinuation { continuation in
      NIOThreadPool.singleton.submit { [node] _ in
        node.shutdown()
        continuation.resume()
      }
    }
  }

  // MARK: Calls

  func query<Query: ReadQuery>(_ query: Query, _ options: QueryOptions = QueryOptions()) async throws -> Answer<
    Query.Reply
  > {
    try await backend.query(query, options, on: loop)
  }

  func put(_ key: String, _ value: String) async throws {
    _ = try await backend.put(key, value, on: loop)
  }

  func value(_ key: String, _ consistency: QueryOptions.Consistency = .leaseBased) async throws -> String? {
    var options = QueryOptions()
    options.consistency = consistency
    return try await query(KVGet(key: key), options).value.map { String(decoding: $0.value.value.bytes, as: UTF8.self) }
  }

  func archive() async throws -> [UInt8] {
    let stream = try await withCheckedThrowingContinuation { continuation in
      backend.saveSnapshot(QueryOptions(), on: loop) { continuation.resume(with: $0.mapError { $0 as any Error }) }
    }.value
    var archive: [UInt8] = []
    while let piece = try await next(stream) { archive += piece }
    return archive
  }

  private func next(_ stream: any SnapshotArchiveStream) async throws -> [UInt8]? {
    try await withCheckedThrowingContinuation { continuation in
      stream.next(on: loop) { continuation.resume(with: $0.mapError { $0 as any Error }) }
    }
  }

  func restore(_ archive: [UInt8]) async throws {
    try await withCheckedThrowingContinuation { continuation in
      backend.restoreSnapshot(SpoolFile(archive), datacenter: "", token: "", on: loop) {
        continuation.resume(with: $0.mapError { $0 as any Error })
      }
    }
  }

  /// Makes another server a voter.
  func add(_ other: TestServer) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      node.raft.change(.addVoter(id: other.id, address: other.address)) {
        continuation.resume(with: $0.map { _ in }.mapError { $0 as any Error })
      }
    }
  }

  /// What this server itself has.
  func stored(_ key: String) -> String? {
    node.store.current.kvEntry(key).value.map { String(decoding: $0.value.value.bytes, as: UTF8.self) }
  }
}

extension Backend {
  func query<Query: ReadQuery>(
    _ query: Query, _ options: QueryOptions, on loop: any EventLoop
  ) async throws -> Answer<Query.Reply> {
    try await withCheckedThrowingContinuation { continuation in
      loop.execute {
        self.query(query, options, on: loop) { continuation.resume(with: $0.mapError { $0 as any Error }) }
      }
    }
  }

  @discardableResult
  func write<Request: WriteRequest>(
    _ request: Request, token: String = "", on loop: any EventLoop
  ) async throws -> Request.Reply {
    try await withCheckedThrowingContinuation { continuation in
      loop.execute {
        self.write(request, datacenter: "", token: token, on: loop) {
          continuation.resume(with: $0.mapError { $0 as any Error })
        }
      }
    }
  }

  func put(_ key: String, _ value: String, on loop: any EventLoop) async throws -> Bool {
    var entry = KVEntry()
    entry.key = key
    entry.value = Bytes(Array(value.utf8))
    return try await write(KVApply(.set, entry), on: loop)
  }
}

extension RPCClient {
  /// The result of a call as MessagePack.
  func call(
    _ method: String, _ body: [UInt8], to address: String, timeout: TimeAmount? = nil, on loop: any EventLoop
  ) async throws -> [UInt8] {
    try await withCheckedThrowingContinuation { continuation in
      call(method, ByteBuffer(bytes: body), to: address, timeout: timeout, on: loop) { result in
        continuation.resume(with: result.map { Array($0.readableBytesView) }.mapError { $0 as any Error })
      }
    }
  }
}
