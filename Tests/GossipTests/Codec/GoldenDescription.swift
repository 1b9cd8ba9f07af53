import Foundation
import Model

@testable import Gossip

/// Messages in the form in which the golden recordings describe them.
enum GoldenDescription {
  static func text(_ bytes: [UInt8]) -> Dynamic {
    if let text = String(validating: bytes, as: UTF8.self),
      text.unicodeScalars.allSatisfy({
        ($0.value >= 0x20 && $0.value != 0x7F && !(0x80..<0xA0).contains($0.value))
          || "\n\t\r".unicodeScalars.contains($0)
      })
    {
      return .string(text)
    }
    return ["$hex": .string(bytes.map { String(format: "%02x", $0) }.joined())]
  }

  static func nullable(_ bytes: Bytes) -> Dynamic { bytes.bytes.isEmpty ? .null : text(bytes.bytes) }
  static func address(_ bytes: Bytes) -> Dynamic { .string(IPAddress(bytes: bytes.bytes)?.description ?? "") }
  static func versions(_ bytes: Bytes) -> Dynamic { .array(bytes.bytes.map { .int(Int64($0)) }) }
  static func number(_ value: some FixedWidthInteger) -> Dynamic { .int(Int64(value)) }

  static func tags(_ meta: [UInt8]) -> Dynamic {
    .object(DynamicObject(Tags.decode(meta).map { ($0.key, .string($0.value)) }))
  }

  static func source(_ members: inout [(key: String, value: Dynamic)], _ address: Bytes, _ port: UInt16, _ node: String)
  {
    if address.count > 0 { members.append(("SourceAddr", Self.address(address))) }
    if port > 0 { members.append(("SourcePort", number(port))) }
    if !node.isEmpty { members.append(("SourceNode", .string(node))) }
  }

  static func accusation(_ type: String, _ accusation: Accusation) -> Dynamic {
    [
      "type": .string(type), "From": .string(accusation.from), "Node": .string(accusation.node),
      "Incarnation": number(accusation.incarnation),
    ]
  }

  static func message(_ message: SwimMessage) -> Dynamic {
    switch message {
    case .ping(let ping):
      var members: [(key: String, value: Dynamic)] = [
        ("type", "ping"), ("Node", .string(ping.node)), ("SeqNo", number(ping.sequence)),
      ]
      source(&members, ping.sourceAddress, ping.sourcePort, ping.sourceNode)
      return .object(DynamicObject(members))
    case .indirectPing(let ping):
      var members: [(key: String, value: Dynamic)] = [
        ("type", "indirectPing"), ("Node", .string(ping.node)), ("SeqNo", number(ping.sequence)),
        ("Nack", .bool(ping.wantsNack)), ("Port", number(ping.port)), ("Target", address(ping.target)),
      ]
      source(&members, ping.sourceAddress, ping.sourcePort, ping.sourceNode)
      return .object(DynamicObject(members))
    case .ack(let ack):
      return ["type": "ack", "SeqNo": number(ack.sequence), "Payload": coordinate(ack.payload.bytes)]
    case .nack(let nack): return ["type": "nack", "SeqNo": number(nack.sequence)]
    case .suspect(let value): return accusation("suspect", value)
    case .dead(let value): return accusation("dead", value)
    case .alive(let alive):
      return [
        "type": "alive", "Addr": address(alive.address), "Incarnation": number(alive.incarnation),
        "Tags": tags(alive.meta.bytes), "Node": .string(alive.node), "Port": number(alive.port),
        "Vsn": versions(alive.versions),
      ]
    case .user(let bytes): return ["type": "user", "message": user(bytes)]
    }
  }

  static func user(_ bytes: [UInt8]) -> Dynamic {
    if let message = try? SerfMessage(bytes) { return serf(message) }
    return ["raw": .string(bytes.map { String(format: "%02x", $0) }.joined())]
  }

  static func coordinate(_ payload: [UInt8]) -> Dynamic {
    guard let version = payload.first, let coordinate = try? Coordinate(messagePack: payload.dropFirst()) else {
      return .null
    }
    return [
      "version": number(version),
      "coordinate": [
        "Adjustment": .double(coordinate.adjustment), "Error": .double(coordinate.error),
        "Height": .double(coordinate.height), "Vec": .array(coordinate.vec.map { .double($0) }),
      ],
    ]
  }

  static func filter(_ bytes: Bytes) -> Dynamic {
    switch try? QueryFilter(bytes.bytes) {
    case .nodes(let names): ["type": "node", "value": .array(names.map { .string($0) })]
    case .tag(let name, let expression):
      ["type": "tag", "value": ["Expr": .string(expression), "Tag": .string(name)]]
    case nil: .null
    }
  }

  /// A payload that is a message of the given types itself.
  static func payload(_ bytes: Bytes, _ types: [UInt8]) -> Dynamic {
    if let first = bytes.bytes.first, types.contains(first), let inner = try? SerfMessage(bytes.bytes) {
      return serf(inner)
    }
    return nullable(bytes)
  }

  static func serf(_ message: SerfMessage) -> Dynamic {
    switch message {
    case .leave(let intent):
      return [
        "serf": "leave", "LTime": number(intent.time), "Node": .string(intent.node), "Prune": .bool(intent.prune),
      ]
    case .join(let intent): return ["serf": "join", "LTime": number(intent.time), "Node": .string(intent.node)]
    case .state(let state): return serfState(state)
    case .userEvent(let event):
      return [
        "serf": "userEvent", "CC": .bool(event.coalesces), "LTime": number(event.time), "Name": .string(event.name),
        "Payload": nullable(event.payload),
      ]
    case .query(let query):
      return [
        "serf": "query", "Addr": address(query.address), "Filters": .array(query.filters.map(filter)),
        "Flags": number(query.flags), "ID": number(query.id), "LTime": number(query.time), "Name": .string(query.name),
        "Payload": payload(query.payload, query.name.hasPrefix("_serf_") ? [7] : []), "Port": number(query.port),
        "RelayFactor": number(query.relayFactor), "SourceNode": .string(query.sourceNode),
        "Timeout": .int(query.timeout.nanoseconds),
      ]
    case .queryResponse(let response):
      return [
        "serf": "queryResponse", "Flags": number(response.flags), "From": .string(response.from),
        "ID": number(response.id), "LTime": number(response.time), "Payload": payload(response.payload, [6, 8]),
      ]
    case .conflictResponse(nil): return ["serf": "conflictResponse", "nil": true]
    case .conflictResponse(let member?):
      return [
        "serf": "conflictResponse", "Addr": address(member.address), "Name": .string(member.name),
        "Port": number(member.port), "Status": number(member.status),
        "Tags": .object(DynamicObject(member.tags.map { ($0.key, .string($0.value)) })),
        "ProtocolMin": number(member.protocolMinimum), "ProtocolMax": number(member.protocolMaximum),
        "ProtocolCur": number(member.protocolCurrent), "DelegateMin": number(member.delegateMinimum),
        "DelegateMax": number(member.delegateMaximum), "DelegateCur": number(member.delegateCurrent),
      ]
    case .keyRequest(let request): return ["serf": "keyRequest", "Key": text(request.key.bytes)]
    case .keyResponse(let response):
      return [
        "serf": "keyResponse", "Keys": response.keys.isEmpty ? .null : .array(response.keys.map { .string($0) }),
        "Message": .string(response.message), "PrimaryKey": .string(response.primaryKey),
        "Result": .bool(response.result),
      ]
    case .relay(let header, let inner):
      return [
        "serf": "relay", "DestName": .string(header.name), "message": user(inner),
        "DestAddr": [
          "IP": address(header.address.ip), "Port": number(header.address.port), "Zone": .string(header.address.zone),
        ],
      ]
    }
  }

  static func serfState(_ state: SerfState) -> Dynamic {
    let events: [Dynamic] = state.events.map { slot in
      guard let slot else { return .null }
      let events: [Dynamic] = slot.events.map {
        ["Name": .string($0.name), "Payload": nullable($0.payload)]
      }
      return ["LTime": number(slot.time), "Events": .array(events)]
    }
    return [
      "serf": "pushPull", "EventLTime": number(state.eventTime), "Events": .array(events), "LTime": number(state.time),
      "LeftMembers": .array(state.leftMembers.map { .string($0) }), "QueryLTime": number(state.queryTime),
      "StatusLTimes": .object(DynamicObject(state.statusTimes.map { ($0.key, number($0.value)) })),
    ]
  }

  static func stream(_ message: StreamMessage) -> [(key: String, value: Dynamic)] {
    switch message {
    case .pushPull(let state):
      let nodes: [Dynamic] = state.nodes.map { node in
        [
          "Addr": address(node.address), "Incarnation": number(node.incarnation), "Tags": tags(node.meta.bytes),
          "Name": .string(node.name), "Port": number(node.port), "Vsn": versions(node.versions),
          "State": .string(NodeState(rawValue: node.state).map { "\($0)" } ?? "?"),
        ]
      }
      let header: Dynamic = [
        "Join": .bool(state.isJoin), "Nodes": number(state.nodes.count), "UserStateLen": number(state.userState.count),
      ]
      var members: [(key: String, value: Dynamic)] = [
        ("type", "pushPull"), ("header", header), ("nodes", .array(nodes)),
      ]
      if !state.userState.isEmpty { members.append(("userState", user(state.userState))) }
      return members
    case .user(let bytes):
      return [("type", "user"), ("header", ["UserMsgLen": number(bytes.count)]), ("message", user(bytes))]
    case .ping(let ping): return Array(Self.message(.ping(ping)).object ?? DynamicObject())
    case .ack(let ack): return Array(Self.message(.ack(ack)).object ?? DynamicObject())
    case .error(let text): return [("type", "err"), ("Error", .string(text))]
    }
  }
}

extension [UInt8] {
  init(hex: String) {
    let digits = Array(hex.utf8).map { UInt8($0 < 58 ? $0 - 48 : $0 - 87) }
    self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
