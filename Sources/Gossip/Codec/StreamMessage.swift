import Model

/// What one side of a stream says.
enum StreamMessage: Sendable, Equatable {
  case pushPull(PushPull)
  case user([UInt8])
  case ping(Ping)
  case ack(Ack)
  case error(String)

  /// User messages on streams.
  private static let userMessageMaximum = 20 << 20

  /// - Throws: `truncated` or `malformed(…, .incomplete)` where more bytes may still come.
  init(_ bytes: UnsafeRawBufferPointer) throws(GossipError) {
    guard let first = bytes.first else { throw .truncated(part: "message") }
    let body = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    switch MessageType(rawValue: first) {
    case .pushPull: self = .pushPull(try PushPull(body))
    case .user:
      var reader = MessagePackReader(body)
      let header: UserMessageHeader = try MessageDecoder.record(&reader)
      guard (0...Self.userMessageMaximum).contains(header.count) else {
        throw .tooLarge(part: "user message", limit: Self.userMessageMaximum)
      }
      guard body.count - reader.offset >= header.count else { throw .truncated(part: "user message") }
      self = .user(Array(body[reader.offset..<reader.offset + header.count]))
    case .ping: self = .ping(try MessageDecoder.record(body))
    case .ack: self = .ack(try MessageDecoder.record(body))
    case .error:
      let reply: ErrorReply = try MessageDecoder.record(body)
      self = .error(reply.error)
    case .none: throw .unknownType(first)
    default: throw .unexpectedType(first)
    }
  }

  var encoded: [UInt8] {
    switch self {
    case .pushPull(let state): state.encoded
    case .user(let bytes): UserMessageHeader(count: bytes.count).message(.user) + bytes
    case .ping(let ping): ping.message(.ping)
    case .ack(let ack): ack.message(.ack)
    case .error(let text): ErrorReply(error: text).message(.error)
    }
  }
}

/// All that a node knows, told to another.
struct PushPull: Sendable, Equatable {
  var isJoin: Bool
  var nodes: [RemoteNode]
  /// The state of the layer above.
  var userState: [UInt8]

  /// Nodes of one cluster; far above what gossip is good for.
  private static let nodesMaximum = 1 << 20
  private static let userStateMaximum = 20 << 20

  init(isJoin: Bool, nodes: [RemoteNode], userState: [UInt8]) {
    self.isJoin = isJoin
    self.nodes = nodes
    self.userState = userState
  }

  fileprivate init(_ body: UnsafeRawBufferPointer) throws(GossipError) {
    var reader = MessagePackReader(body)
    let header: PushPullHeader = try MessageDecoder.record(&reader)
    guard (0...Self.nodesMaximum).contains(header.nodeCount) else {
      throw .tooLarge(part: "node list", limit: Self.nodesMaximum)
    }
    guard (0...Self.userStateMaximum).contains(header.userStateCount) else {
      throw .tooLarge(part: "user state", limit: Self.userStateMaximum)
    }
    // Each node takes one byte at least; nothing is read twice while bytes are still arriving.
    guard body.count - reader.offset >= header.nodeCount + header.userStateCount else {
      throw .truncated(part: "push/pull")
    }
    isJoin = header.isJoin
    nodes = []
    for _ in 0..<header.nodeCount { nodes.append(try MessageDecoder.record(&reader)) }
    guard body.count - reader.offset >= header.userStateCount else { throw .truncated(part: "user state") }
    userState = Array(body[reader.offset..<reader.offset + header.userStateCount])
  }

  fileprivate var encoded: [UInt8] {
    let header = PushPullHeader(nodeCount: nodes.count, userStateCount: userState.count, isJoin: isJoin)
    var writer = MessagePackWriter()
    header.encode(&writer)
    for node in nodes { node.encode(&writer) }
    return [MessageType.pushPull.rawValue] + writer.bytes + userState
  }
}
