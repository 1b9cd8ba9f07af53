import Model

/// The first byte of Serf's messages, inside user messages and push/pulls (wire/gossip.md, section 9).
enum SerfMessageType: UInt8, Sendable {
  case leave = 0
  case join = 1
  case pushPull = 2
  case userEvent = 3
  case query = 4
  case queryResponse = 5
  case conflictResponse = 6
  case keyRequest = 7
  case keyResponse = 8
  case relay = 9
}

struct LeaveIntent: Record {
  var time: UInt64 = 0
  var node = ""
  /// Whether the member is to be forgotten at once.
  var prune = false

  static let schema = Schema<LeaveIntent>("messageLeave") {
    $0.field("LTime", \.time)
    $0.field("Node", \.node)
    $0.field("Prune", \.prune)
  }
}

struct JoinIntent: Record {
  var time: UInt64 = 0
  var node = ""

  static let schema = Schema<JoinIntent>("messageJoin") {
    $0.field("LTime", \.time)
    $0.field("Node", \.node)
  }
}

struct UserEventMessage: Record {
  var time: UInt64 = 0
  var name = ""
  var payload = Bytes()
  /// Whether receivers may merge it with others of the same name.
  var coalesces = false

  static let schema = Schema<UserEventMessage>("messageUserEvent") {
    $0.field("LTime", \.time)
    $0.field("Name", \.name)
    $0.field("Payload", \.payload)
    $0.field("CC", \.coalesces)
  }
}

/// An event as the buffer of a push/pull holds it.
struct BufferedEvent: Record {
  var name = ""
  var payload = Bytes()

  static let schema = Schema<BufferedEvent>("userEvent") {
    $0.field("Name", \.name)
    $0.field("Payload", \.payload)
  }
}

/// All events of one Lamport time.
struct EventSlot: Record {
  var time: UInt64 = 0
  var events: [BufferedEvent] = []

  static let schema = Schema<EventSlot>("userEvents") {
    $0.field("LTime", \.time)
    $0.field("Events", \.events)
  }
}

/// Serf's part of a push/pull.
struct SerfState: Record {
  var time: UInt64 = 0
  var statusTimes: [String: UInt64] = [:]
  var leftMembers: [String] = []
  var eventTime: UInt64 = 0
  var events: [EventSlot?] = []
  var queryTime: UInt64 = 0

  static let schema = Schema<SerfState>("messagePushPull") {
    $0.field("LTime", \.time)
    $0.field("StatusLTimes", \.statusTimes)
    $0.field("LeftMembers", \.leftMembers)
    $0.field("EventLTime", \.eventTime)
    $0.field("Events", \.events)
    $0.field("QueryLTime", \.queryTime)
  }

  /// Unlike other records, empty lists are written as such and not as nil.
  var encoded: [UInt8] {
    var writer = MessagePackWriter()
    writer.mapHeader(6)
    writer.string("EventLTime")
    writer.integer(eventTime)
    writer.string("Events")
    writer.arrayHeader(events.count)
    for slot in events {
      if let slot { slot.encode(&writer) } else { writer.null() }
    }
    writer.string("LTime")
    writer.integer(time)
    writer.string("LeftMembers")
    writer.arrayHeader(leftMembers.count)
    for name in leftMembers { writer.string(name) }
    writer.string("QueryLTime")
    writer.integer(queryTime)
    writer.string("StatusLTimes")
    writer.mapHeader(statusTimes.count)
    for (name, time) in statusTimes.sorted(by: { bytewiseLess($0.key, $1.key) }) {
      writer.string(name)
      writer.integer(time)
    }
    return [SerfMessageType.pushPull.rawValue] + writer.bytes
  }
}

struct QueryMessage: Record {
  static let ackFlag: UInt32 = 1
  static let noBroadcastFlag: UInt32 = 2

  var time: UInt64 = 0
  /// Random, to tell apart queries of the same time.
  var id: UInt32 = 0
  /// Where answers go.
  var address = Bytes()
  var port: UInt16 = 0
  var sourceNode = ""
  var filters: [Bytes] = []
  var flags: UInt32 = 0
  /// How many others relay each answer.
  var relayFactor: UInt8 = 0
  var timeout = GoDuration.zero
  var name = ""
  var payload = Bytes()

  static let schema = Schema<QueryMessage>("messageQuery") {
    $0.field("LTime", \.time)
    $0.field("ID", \.id)
    $0.field("Addr", \.address)
    $0.field("Port", \.port)
    $0.field("SourceNode", \.sourceNode)
    $0.field("Filters", \.filters)
    $0.field("Flags", \.flags)
    $0.field("RelayFactor", \.relayFactor)
    $0.field("Timeout", \.timeout)
    $0.field("Name", \.name)
    $0.field("Payload", \.payload)
  }

  var wantsAck: Bool { flags & Self.ackFlag != 0 }
  var isLocal: Bool { flags & Self.noBroadcastFlag != 0 }
}

struct QueryResponseMessage: Record {
  var time: UInt64 = 0
  var id: UInt32 = 0
  var from = ""
  var flags: UInt32 = 0
  var payload = Bytes()

  static let schema = Schema<QueryResponseMessage>("messageQueryResponse") {
    $0.field("LTime", \.time)
    $0.field("ID", \.id)
    $0.field("From", \.from)
    $0.field("Flags", \.flags)
    $0.field("Payload", \.payload)
  }

  var isAck: Bool { flags & QueryMessage.ackFlag != 0 }
}

/// A member as the answer to a name conflict describes it.
struct MemberRecord: Record {
  var name = ""
  var address = Bytes()
  var port: UInt16 = 0
  var tags: [String: String] = [:]
  var status = 0
  var protocolMinimum: UInt8 = 0
  var protocolMaximum: UInt8 = 0
  var protocolCurrent: UInt8 = 0
  var delegateMinimum: UInt8 = 0
  var delegateMaximum: UInt8 = 0
  var delegateCurrent: UInt8 = 0

  static let schema = Schema<MemberRecord>("Member") {
    $0.field("Name", \.name)
    $0.field("Addr", \.address)
    $0.field("Port", \.port)
    $0.field("Tags", \.tags)
    $0.field("Status", \.status)
    $0.field("ProtocolMin", \.protocolMinimum)
    $0.field("ProtocolMax", \.protocolMaximum)
    $0.field("ProtocolCur", \.protocolCurrent)
    $0.field("DelegateMin", \.delegateMinimum)
    $0.field("DelegateMax", \.delegateMaximum)
    $0.field("DelegateCur", \.delegateCurrent)
  }
}

struct KeyRequest: Record {
  var key = Bytes()

  static let schema = Schema<KeyRequest>("keyRequest") { $0.field("Key", \.key) }

  /// Unlike elsewhere, no bytes are written as such and not as nil.
  var encoded: [UInt8] {
    var writer = MessagePackWriter()
    writer.mapHeader(1)
    writer.string("Key")
    writer.binary(key.bytes)
    return [SerfMessageType.keyRequest.rawValue] + writer.bytes
  }
}

struct KeyResponse: Record {
  var result = false
  var message = ""
  var keys: [String] = []
  var primaryKey = ""

  static let schema = Schema<KeyResponse>("nodeKeyResponse") {
    $0.field("Result", \.result)
    $0.field("Message", \.message)
    $0.field("Keys", \.keys)
    $0.field("PrimaryKey", \.primaryKey)
  }
}

/// Where a relayed message goes.
struct RelayHeader: Record {
  struct Destination: Record {
    var ip = Bytes()
    var port = 0
    var zone = ""

    static let schema = Schema<Destination>("UDPAddr") {
      $0.field("IP", \.ip)
      $0.field("Port", \.port)
      $0.field("Zone", \.zone)
    }
  }

  var address = Destination()
  var name = ""

  static let schema = Schema<RelayHeader>("relayHeader") {
    $0.field("DestAddr", \.address)
    $0.field("DestName", \.name)
  }
}

extension Record {
  /// This record as a message of Serf.
  func message(_ type: SerfMessageType) -> [UInt8] {
    var writer = MessagePackWriter()
    encode(&writer)
    return [type.rawValue] + writer.bytes
  }
}

/// A message of Serf.
enum SerfMessage: Sendable, Equatable {
  case leave(LeaveIntent)
  case join(JoinIntent)
  case state(SerfState)
  case userEvent(UserEventMessage)
  case query(QueryMessage)
  case queryResponse(QueryResponseMessage)
  /// Nil: the node knows no such member.
  case conflictResponse(MemberRecord?)
  case keyRequest(KeyRequest)
  case keyResponse(KeyResponse)
  /// The bytes are a message with its type.
  case relay(RelayHeader, [UInt8])

  /// - Throws: `truncated`, `unknownType`, `malformed`.
  init(_ bytes: [UInt8]) throws(GossipError) {
    self = try bytes.withBytes { (bytes) throws(GossipError) in try Self.decode(bytes) }
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws(GossipError) -> SerfMessage {
    guard let first = bytes.first else { throw .truncated(part: "message") }
    guard let type = SerfMessageType(rawValue: first) else { throw .unknownType(first) }
    let body = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    switch type {
    case .leave: return .leave(try MessageDecoder.record(body))
    case .join: return .join(try MessageDecoder.record(body))
    case .pushPull: return .state(try MessageDecoder.record(body))
    case .userEvent: return .userEvent(try MessageDecoder.record(body))
    case .query: return .query(try MessageDecoder.record(body))
    case .queryResponse: return .queryResponse(try MessageDecoder.record(body))
    case .conflictResponse:
      if body.first == 0xC0 { return .conflictResponse(nil) }
      return .conflictResponse(try MessageDecoder.record(body))
    case .keyRequest: return .keyRequest(try MessageDecoder.record(body))
    case .keyResponse: return .keyResponse(try MessageDecoder.record(body))
    case .relay:
      var reader = MessagePackReader(body)
      let header: RelayHeader = try MessageDecoder.record(&reader)
      return .relay(header, Array(body[reader.offset...]))
    }
  }

  var encoded: [UInt8] {
    switch self {
    case .leave(let intent): intent.message(.leave)
    case .join(let intent): intent.message(.join)
    case .state(let state): state.encoded
    case .userEvent(let event): event.message(.userEvent)
    case .query(let query): query.message(.query)
    case .queryResponse(let response): response.message(.queryResponse)
    case .conflictResponse(let member): member?.message(.conflictResponse) ?? [6, 0xC0]
    case .keyRequest(let request): request.encoded
    case .keyResponse(let response): response.message(.keyResponse)
    case .relay(let header, let message): header.message(.relay) + message
    }
  }
}
