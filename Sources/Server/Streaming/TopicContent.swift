import AccessControl
import GRPC
import Model
import NIOCore
import State

/// What a subscription follows: one part of the catalog.
enum TopicSubject: Hashable, Sendable {
  /// The instances of a service, by its folded name, or those through which it is reached in the mesh.
  case health(String, connect: Bool)
  /// The names of all services.
  case serviceNames
}

/// One version of what a topic shows.
enum TopicContent: Sendable {
  /// In the order of nodes and ids.
  case instances([ServiceInstance])
  /// In their order, each once.
  case names([String])
}

/// One change, as it travels, with the rights that its reader needs.
struct TopicUpdate: Sendable {
  let permissions: [Permission]
  /// The payload of an `Event`: everything but its index.
  let payload: [UInt8]

  init(_ op: Int, _ instance: ServiceInstance) {
    permissions = [.nodeRead(instance.node.value.node), .serviceRead(instance.service.value.service)]
    var event = StreamEvent()
    event.serviceHealth = ServiceHealthUpdate(op: op, instance: Self.message(op, instance))
    payload = event.protobuf()
  }

  init(_ op: Int, name: String) {
    permissions = [.serviceRead(name)]
    var event = StreamEvent()
    event.service = ServiceListUpdate(op: op, name: name)
    payload = event.protobuf()
  }

  /// Of an instance that is gone only the name of the node and the service are told.
  private static func message(_ op: Int, _ instance: ServiceInstance) -> CheckServiceNode {
    guard op == CatalogOp.deregister else { return CheckServiceNode(instance) }
    var node = Node()
    node.node = instance.node.value.node
    return CheckServiceNode(ServiceInstance(node: Row(node), service: instance.service, checks: []))
  }
}

extension TopicSubject {
  /// What the topic shows in one version of the state.
  func content(_ state: StateSnapshot) -> QueryResult<TopicContent> {
    switch self {
    case .health(let name, let connect):
      return state.healthServiceNodes(name, connect: connect).map { .instances($0) }
    case .serviceNames: return Self.names(state).map { .names($0) }
    }
  }

  /// By kind: what tells when names come and go.
  private static func names(_ state: StateSnapshot) -> QueryResult<[String]> {
    let kinds = [
      ServiceKind.typical, ServiceKind.connectProxy, ServiceKind.meshGateway, ServiceKind.terminatingGateway,
      ServiceKind.ingressGateway, ServiceKind.apiGateway,
    ].map { state.serviceNames(kind: $0) }
    let names = Set(kinds.flatMap(\.value)).sorted(by: bytewiseLess)
    return QueryResult(index: kinds.map(\.index).max() ?? 0, value: names, watch: kinds.flatMap(\.watch))
  }
}

extension TopicContent {
  /// Everything, as what somebody is told who knows nothing.
  var updates: [TopicUpdate] {
    switch self {
    case .instances(let instances): instances.map { TopicUpdate(CatalogOp.register, $0) }
    case .names(let names): names.map { TopicUpdate(CatalogOp.register, name: $0) }
    }
  }

  /// What somebody has to be told who knows the older version.
  func updates(since old: TopicContent) -> [TopicUpdate] {
    switch (old, self) {
    case (.instances(let old), .instances(let new)): Self.differences(old, new)
    case (.names(let old), .names(let new)):
      Set(old).subtracting(new).sorted(by: bytewiseLess).map { TopicUpdate(CatalogOp.deregister, name: $0) }
        + Set(new).subtracting(old).sorted(by: bytewiseLess).map { TopicUpdate(CatalogOp.register, name: $0) }
    default: updates
    }
  }

  /// Walks along both lists. Rows that nobody changed are the same in both versions of the state.
  private static func differences(_ old: [ServiceInstance], _ new: [ServiceInstance]) -> [TopicUpdate] {
    var updates: [TopicUpdate] = []
    var (a, b) = (old[...], new[...])
    while let first = a.first, let second = b.first {
      if first.service === second.service {
        if !first.isSame(as: second) { updates.append(TopicUpdate(CatalogOp.register, second)) }
        a.removeFirst()
        b.removeFirst()
        continue
      }
      let (place, other) = (InstancePlace(first), InstancePlace(second))
      if place < other {
        updates.append(TopicUpdate(CatalogOp.deregister, first))
        a.removeFirst()
      } else {
        updates.append(TopicUpdate(CatalogOp.register, second))
        if place == other { a.removeFirst() }
        b.removeFirst()
      }
    }
    updates += a.map { TopicUpdate(CatalogOp.deregister, $0) }
    updates += b.map { TopicUpdate(CatalogOp.register, $0) }
    return updates
  }
}

extension ServiceInstance {
  /// Whether both are made of the same rows.
  fileprivate func isSame(as other: ServiceInstance) -> Bool {
    node === other.node && service === other.service && checks.elementsEqual(other.checks) { $0 === $1 }
  }
}

/// Where an instance stands in the catalog's order: by node and id, without regard to case.
struct InstancePlace: Comparable {
  let node: String
  let id: String

  init(_ instance: ServiceInstance) { self.init(instance.node.value.node, instance.service.value.id) }

  init(_ node: String, _ id: String) {
    self.node = node.folded
    self.id = id.folded
  }

  static func < (a: InstancePlace, b: InstancePlace) -> Bool {
    a.node == b.node ? bytewiseLess(a.id, b.id) : bytewiseLess(a.node, b.node)
  }
}

/// What is sent at once: messages behind their lengths.
enum StreamFrames {
  /// Bytes of one message of a snapshot, about; readers take 4 MiB at least.
  private static let snapshotMessageBytes = 1 << 20

  /// The changes of one commit: alone, or as a batch that readers apply as a whole. Nil for none.
  ///
  /// - Parameter isFiltered: whether the reader is told that there were more.
  static func live(
    _ index: UInt64, _ updates: some Collection<TopicUpdate>, isFiltered: Bool = false
  ) -> ByteBuffer? {
    guard var message = message(index, updates) else { return nil }
    if isFiltered {
      var writer = ProtobufWriter()
      writer.varint(StreamEvent.filteredField, 1)
      message += writer.bytes
    }
    return ByteBuffer(grpcMessage: message)
  }

  /// Everything at an index, and that it is everything that the reader may see.
  static func snapshot(_ index: UInt64, _ updates: [TopicUpdate], isFiltered: Bool = false) -> [ByteBuffer] {
    var frames: [ByteBuffer] = []
    var rest = updates[...]
    while !rest.isEmpty {
      var bytes = 0
      let piece = rest.prefix { update in
        defer { bytes += update.payload.count }
        return bytes < snapshotMessageBytes
      }
      if let frame = live(index, piece) { frames.append(frame) }
      rest = rest.dropFirst(piece.count)
    }
    var end = StreamEvent()
    end.index = index
    end.endOfSnapshot = true
    end.isFiltered = isFiltered
    frames.append(ByteBuffer(grpcMessage: end.protobuf()))
    return frames
  }

  /// Says that what the reader has is of no use any more.
  static let newSnapshot: ByteBuffer = {
    var event = StreamEvent()
    event.newSnapshotToFollow = true
    return ByteBuffer(grpcMessage: event.protobuf())
  }()

  private static func message(_ index: UInt64, _ updates: some Collection<TopicUpdate>) -> [UInt8]? {
    guard let first = updates.first else { return nil }
    var writer = ProtobufWriter()
    writer.varint(1, index)
    let head = writer.bytes
    guard updates.count > 1 else { return head + first.payload }
    writer.message(4) { batch in
      for update in updates { batch.encoded(1, head + update.payload) }
    }
    return writer.bytes
  }
}
