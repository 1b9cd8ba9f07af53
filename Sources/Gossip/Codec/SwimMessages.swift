import Model

/// The first byte of every message (wire/gossip.md, "Message types").
enum MessageType: UInt8, Sendable {
  case ping = 0
  case indirectPing = 1
  case ack = 2
  case suspect = 3
  case alive = 4
  case dead = 5
  case pushPull = 6
  case compound = 7
  case user = 8
  case compress = 9
  case encrypt = 10
  case nack = 11
  case hasChecksum = 12
  case error = 13
  case hasLabel = 244
}

/// "Are you there?"
struct Ping: Record {
  var sequence: UInt32 = 0
  /// Whom it is for; empty: anybody.
  var node = ""
  var sourceAddress = Bytes()
  var sourcePort: UInt16 = 0
  var sourceNode = ""

  static let schema = Schema<Ping>("ping") {
    $0.field("SeqNo", \.sequence)
    $0.field("Node", \.node)
    $0.field("SourceAddr", \.sourceAddress, .omitEmptyOnWire)
    $0.field("SourcePort", \.sourcePort, .omitEmptyOnWire)
    $0.field("SourceNode", \.sourceNode, .omitEmptyOnWire)
  }
}

/// "Ask this node for me."
struct IndirectPing: Record {
  var sequence: UInt32 = 0
  var target = Bytes()
  var port: UInt16 = 0
  var node = ""
  /// Whether the asker wants to hear that there was no answer.
  var wantsNack = false
  var sourceAddress = Bytes()
  var sourcePort: UInt16 = 0
  var sourceNode = ""

  static let schema = Schema<IndirectPing>("indirectPing") {
    $0.field("SeqNo", \.sequence)
    $0.field("Target", \.target)
    $0.field("Port", \.port)
    $0.field("Node", \.node)
    $0.field("Nack", \.wantsNack)
    $0.field("SourceAddr", \.sourceAddress, .omitEmptyOnWire)
    $0.field("SourcePort", \.sourcePort, .omitEmptyOnWire)
    $0.field("SourceNode", \.sourceNode, .omitEmptyOnWire)
  }
}

struct Ack: Record {
  var sequence: UInt32 = 0
  /// The network coordinate of who answers.
  var payload = Bytes()

  static let schema = Schema<Ack>("ack") {
    $0.field("SeqNo", \.sequence)
    $0.field("Payload", \.payload)
  }
}

struct Nack: Record {
  var sequence: UInt32 = 0

  static let schema = Schema<Nack>("nack") { $0.field("SeqNo", \.sequence) }
}

/// What suspect and dead say of a node.
struct Accusation: Record {
  var incarnation: UInt32 = 0
  var node = ""
  /// Who says so. A node that is dead by its own word has left.
  var from = ""

  static let schema = Schema<Accusation>("suspect") {
    $0.field("Incarnation", \.incarnation)
    $0.field("Node", \.node)
    $0.field("From", \.from)
  }
}

struct Alive: Record {
  var incarnation: UInt32 = 0
  var node = ""
  var address = Bytes()
  var port: UInt16 = 0
  /// Tags, see `Tags`.
  var meta = Bytes()
  /// See `ProtocolVersions`.
  var versions = Bytes()

  static let schema = Schema<Alive>("alive") {
    $0.field("Incarnation", \.incarnation)
    $0.field("Node", \.node)
    $0.field("Addr", \.address)
    $0.field("Port", \.port)
    $0.field("Meta", \.meta)
    $0.field("Vsn", \.versions)
  }
}

/// A message compressed.
struct Compressed: Record {
  static let lzw: UInt8 = 0

  var algorithm = Compressed.lzw
  var content = Bytes()

  static let schema = Schema<Compressed>("compress") {
    $0.field("Algo", \.algorithm)
    $0.field("Buf", \.content)
  }
}

/// What comes before the node states of a push/pull.
struct PushPullHeader: Record {
  var nodeCount = 0
  var userStateCount = 0
  var isJoin = false

  static let schema = Schema<PushPullHeader>("pushPullHeader") {
    $0.field("Nodes", \.nodeCount)
    $0.field("UserStateLen", \.userStateCount)
    $0.field("Join", \.isJoin)
  }
}

/// A node as a push/pull tells of it.
struct RemoteNode: Record {
  var name = ""
  var address = Bytes()
  var port: UInt16 = 0
  var meta = Bytes()
  var incarnation: UInt32 = 0
  /// See `NodeState`.
  var state = 0
  var versions = Bytes()

  static let schema = Schema<RemoteNode>("pushNodeState") {
    $0.field("Name", \.name)
    $0.field("Addr", \.address)
    $0.field("Port", \.port)
    $0.field("Meta", \.meta)
    $0.field("Incarnation", \.incarnation)
    $0.field("State", \.state)
    $0.field("Vsn", \.versions)
  }
}

/// What comes before the bytes of a user message on a stream.
struct UserMessageHeader: Record {
  var count = 0

  static let schema = Schema<UserMessageHeader>("userMsgHeader") { $0.field("UserMsgLen", \.count) }
}

struct ErrorReply: Record {
  var error = ""

  static let schema = Schema<ErrorReply>("errResp") { $0.field("Error", \.error) }
}

extension Record {
  /// This record as a message.
  func message(_ type: MessageType) -> [UInt8] {
    var writer = MessagePackWriter()
    encode(&writer)
    return [type.rawValue] + writer.bytes
  }
}

/// A message that datagrams carry.
enum SwimMessage: Sendable, Equatable {
  case ping(Ping)
  case indirectPing(IndirectPing)
  case ack(Ack)
  case nack(Nack)
  case suspect(Accusation)
  case alive(Alive)
  case dead(Accusation)
  /// Bytes of the layer above.
  case user([UInt8])

  var encoded: [UInt8] {
    switch self {
    case .ping(let ping): ping.message(.ping)
    case .indirectPing(let ping): ping.message(.indirectPing)
    case .ack(let ack): ack.message(.ack)
    case .nack(let nack): nack.message(.nack)
    case .suspect(let suspicion): suspicion.message(.suspect)
    case .alive(let alive): alive.message(.alive)
    case .dead(let death): death.message(.dead)
    case .user(let bytes): [MessageType.user.rawValue] + bytes
    }
  }
}

/// The state that a node's peers see it in.
enum NodeState: Int, Sendable {
  case alive = 0
  case suspect = 1
  case dead = 2
  case left = 3

  var isGone: Bool { self == .dead || self == .left }
}

/// The versions of both protocols that a node can speak, and does: the membership protocol's and Serf's.
public struct ProtocolVersions: Sendable, Hashable {
  public var minimum: UInt8
  public var maximum: UInt8
  public var current: UInt8
  public var delegateMinimum: UInt8
  public var delegateMaximum: UInt8
  public var delegateCurrent: UInt8

  /// What this release speaks.
  public static let own = ProtocolVersions(
    minimum: 1, maximum: 5, current: 2, delegateMinimum: 2, delegateMaximum: 5, delegateCurrent: 4)

  static let none = ProtocolVersions(bytes: [])

  /// The first version of the protocol with stream pings, with nacks, with checksums and relays.
  static let streamPing: UInt8 = 3
  static let nack: UInt8 = 4
  static let checksum: UInt8 = 5

  init(
    minimum: UInt8, maximum: UInt8, current: UInt8, delegateMinimum: UInt8, delegateMaximum: UInt8,
    delegateCurrent: UInt8
  ) {
    self.minimum = minimum
    self.maximum = maximum
    self.current = current
    self.delegateMinimum = delegateMinimum
    self.delegateMaximum = delegateMaximum
    self.delegateCurrent = delegateCurrent
  }

  /// Missing bytes are 0.
  init(bytes: [UInt8]) {
    let all = bytes.prefix(6) + [UInt8](repeating: 0, count: max(0, 6 - bytes.count))
    self.init(
      minimum: all[0], maximum: all[1], current: all[2], delegateMinimum: all[3], delegateMaximum: all[4],
      delegateCurrent: all[5])
  }

  var bytes: [UInt8] { [minimum, maximum, current, delegateMinimum, delegateMaximum, delegateCurrent] }
}
