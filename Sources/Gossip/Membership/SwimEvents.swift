import Model

/// One stream, as long as it is open. Numbers of streams that others opened and of our own are independent.
public typealias StreamID = UInt64

/// How important a remark of the core is.
public enum GossipLogLevel: Sendable {
  case debug, info, warning, error
}

/// What a core wants done with the network, in this order.
enum NetworkEffect: Sendable {
  /// One datagram.
  case send([UInt8], to: NodeAddress, checksum: Bool)
  /// Connect, send, and report the answer by `answered` or `streamFailed`.
  case open(StreamID, to: NodeAddress, StreamMessage, timeout: GoDuration)
  /// Answer a stream that another node opened, and close it.
  case answer(StreamID, StreamMessage)
  case close(StreamID)
}

/// What the membership core tells the layer above it, in the order of happening.
enum SwimNotice: Sendable {
  case joined(Node)
  case left(Node)
  case updated(Node)
  /// Another node claims the name of a known one.
  case conflict(Node, claimant: NodeAddress)
  /// A message of the layer above.
  case user([UInt8], from: NodeAddress)
  /// The state of the layer above, from a push/pull; with the ticket if that was our own attempt to join.
  case remoteState([UInt8], ticket: JoinTicket?)
  /// A node answered a direct probe.
  case pinged(String, roundTrip: GoDuration, payload: [UInt8])
  /// The time has come to exchange state with a node: call `startExchange`.
  case exchangeDue(NodeAddress)
  case joinFinished(JoinTicket, NodeAddress, GossipError?)
  case log(GossipLogLevel, String)
}

/// One attempt to join through one address.
struct JoinTicket: Sendable, Hashable {
  /// The request that the attempt belongs to.
  var request: UInt64
  /// Whether user events from before the join are not delivered.
  var ignoresOldEvents: Bool
}
