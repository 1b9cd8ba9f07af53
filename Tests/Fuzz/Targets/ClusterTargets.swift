import Consensus
import Model
import NIOCore
import Wire

@testable import Gossip
@testable import Server

/// What other members of a pool send. The first byte tells whether the rest is a datagram or a stream; what they cause is
/// followed for a while.
struct GossipTarget: FuzzTarget {
  let name = "gossip"
  let tokens = [
    "\u{A4}Node", "\u{A4}Addr", "\u{A4}Port", "\u{A4}Meta", "\u{AB}Incarnation", "\u{A3}Vsn", "\u{A5}LTime",
    "\u{A7}Payload",
  ]

  var corpus: [[UInt8]] {
    let alive = Alive(
      incarnation: 3, node: "n", address: Bytes([10, 0, 0, 1]), port: 8301, meta: Bytes(Tags.encode(["role": "x"])),
      versions: Bytes(ProtocolVersions.own.bytes))
    let query = QueryMessage(
      time: 3, id: 77, address: Bytes([10, 0, 0, 2]), port: 8301, sourceNode: "n",
      filters: [Bytes(QueryFilter.nodes(["me"]).encoded)], flags: 1, name: "q", payload: Bytes([1]))
    let several = CompoundMessage.encode([
      alive.message(.alive), Ping(sequence: 4, node: "me").message(.ping),
      SwimMessage.user(query.message(.query)).encoded,
      Accusation(incarnation: 1, node: "me", from: "n").message(.suspect),
      Accusation(incarnation: 3, node: "n", from: "n").message(.dead),
    ])
    let state = SerfState(
      time: 4, statusTimes: ["n": 1, "me": 300], leftMembers: ["c"], eventTime: 9,
      events: [nil, EventSlot(time: 2, events: [BufferedEvent(name: "deploy", payload: Bytes([1, 2]))])], queryTime: 7)
    let remote = RemoteNode(name: "n", address: Bytes([10, 0, 0, 2]), port: 8301, incarnation: 3, state: 1)
    let streams: [StreamMessage] = [
      .pushPull(PushPull(isJoin: true, nodes: [remote, remote], userState: state.encoded)),
      .user(query.message(.query)), .ping(Ping(sequence: 1, node: "me")),
    ]
    return [[0] + several, [0] + Compressed(content: Bytes(LZW.compress(several))).message(.compress)]
      + streams.map { [1] + $0.encoded }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    guard let own = NodeAddress("10.0.0.1:8301"), let peer = NodeAddress("10.0.0.2:8301") else { return .refused("") }
    var core = SerfCore(.lan(name: "me", advertised: own), seed: 7)
    var now = GossipInstant(nanoseconds: 1)
    do {
      try core.start(now)
      var kinds: String
      if input.first == 1 {
        guard let message = try PacketCodec().openStream(Array(input.dropFirst()), fromOpener: true) else {
          return .accepted("incomplete")
        }
        core.requested(StreamID(1), message, from: peer, now)
        kinds = Self.kind(message)
      } else {
        let content = try PacketCodec().open(Array(input.dropFirst()))
        let decoder = MessageDecoder(content)
        if decoder.messages.isEmpty, let problem = decoder.problems.first { return .refused(by: problem) }
        kinds = decoder.messages.prefix(4).map(Self.kind).joined(separator: " ")
        core.received(content, from: peer, now)
      }
      for _ in 0..<20 {
        now = now + .milliseconds(250)
        core.tick(now)
        kinds += " \(min(core.drain().count, 3))"
      }
      guard core.members["me"] != nil else { throw BrokenPromise(what: "a node was talked out of being a member") }
      return .accepted(kinds)
    } catch let broken as BrokenPromise {
      throw broken
    } catch {
      return .refused(by: error)
    }
  }

  /// The case of an enumeration, without what it carries.
  private static func kind(_ message: some Any) -> String {
    String("\(message)".prefix { $0.isLetter })
  }
}

/// What a connection to the server port carries behind its first byte: yamux frames with net/rpc messages in them.
struct RPCTarget: FuzzTarget {
  let name = "rpc"
  let tokens = [
    "\u{AD}ServiceMethod", "\u{A3}Seq", "\u{A5}Error", "KVS.Get", "\u{0}\u{1}\u{0}\u{1}", "\u{0}\u{0}\u{0}\u{1}",
  ]

  var corpus: [[UInt8]] {
    var session = YamuxSession(.dialler, now: 0)
    guard let stream = session.open(now: 0) else { return [] }
    var call = ByteBuffer()
    call.writeRPCMessage(RPCRequestHeader(sequence: 1, method: "KVS.Get"), body: RPCBody.empty)
    session.write(call, to: stream)
    let beginning = Self.output(&session)
    session.close(stream, now: 0)
    session.goAway(.normal)
    return [beginning, beginning + Self.output(&session)]
  }

  private static func output(_ session: inout YamuxSession) -> [UInt8] {
    session.takeOutput().flatMap { Array($0.readableBytesView) }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    var session = YamuxSession(.acceptor, now: 0)
    var decoders: [UInt32: RPCMessageDecoder<RPCRequestHeader>] = [:]
    var text = ""
    do {
      for event in try session.receive(ByteBuffer(bytes: input), now: 1) {
        switch event {
        case .opened(let stream):
          decoders[stream] = RPCMessageDecoder(bodyBytesMax: 1 << 20)
          text += "o"
        case .data(let stream, let bytes):
          session.consume(bytes.readableBytes, of: stream)
          guard decoders[stream] != nil else { throw BrokenPromise(what: "bytes of a stream that was not opened") }
          decoders[stream]?.append(bytes)
          while try decoders[stream]?.next() != nil { text += "m" }
        case .ended: text += "e"
        case .reset: text += "r"
        case .goneAway: text += "g"
        }
      }
      _ = try session.tick(now: 100_000_000_000)
      if Self.output(&session).count > 64 + 32 * input.count {
        throw BrokenPromise(what: "a peer makes this side send far more than it sent itself")
      }
      return .accepted(String(text.prefix(24)))
    } catch let broken as BrokenPromise {
      throw broken
    } catch {
      return .refused(by: error)
    }
  }
}

/// Requests of consensus, each a byte that tells its kind and a MessagePack value.
struct RaftTarget: FuzzTarget {
  let name = "raft"
  let tokens = ["\u{A4}Term", "\u{A7}Entries", "\u{A4}Data", "\u{A5}Index", "\u{A9}RPCHeader", "\u{A4}Type"]

  var corpus: [[UInt8]] {
    let from = RaftHeader(id: "a", address: "10.0.0.1:8300")
    let requests: [RaftRequest] = [
      .appendEntries(
        AppendEntriesRequest(
          term: 3, previousIndex: 4, previousTerm: 2,
          entries: [LogEntry(index: 5, term: 3, kind: .command, data: [0, 0x80])], leaderCommitIndex: 4)),
      .requestVote(RequestVoteRequest(term: 4, lastLogIndex: 5, lastLogTerm: 3, leadershipTransfer: true)),
      .requestPreVote(RequestPreVoteRequest(term: 4, lastLogIndex: 5, lastLogTerm: 3)), .timeoutNow,
    ]
    return requests.map { $0.encoded(from: from) }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    var reader = RaftStreamReader()
    reader.append(ByteBuffer(bytes: input))
    do {
      guard let byte = reader.byte(), let type = RaftRequestType(rawValue: byte) else {
        return .refused("unknown kind")
      }
      guard let body = try reader.value() else { return .accepted("incomplete") }
      let (request, from) = try RaftRequest.decode(type, body)
      let encoded = request.encoded(from: from)
      let again = try? RaftRequest.decode(type, ByteBuffer(bytes: encoded.dropFirst()))
      guard again?.request.encoded(from: from) == encoded else {
        throw BrokenPromise(what: "a request changes when it is sent on: \(request)")
      }
      return .accepted("\(type) \(from.address.isEmpty)")
    } catch let broken as BrokenPromise {
      throw broken
    } catch {
      return .refused(by: error)
    }
  }
}
