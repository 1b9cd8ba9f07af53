import Model

/// The form in which client programs see a record: which members, in which order, and which of them are left out when
/// they hold nothing. Watch handlers receive records in this form, whatever else an agent's answer contains.
struct ResponseView: Sendable {
  enum Member: Sendable {
    /// Always there; this value if the answer has none.
    case always(String, or: Dynamic)
    /// Only there if it holds something.
    case ifSet(String)
    /// A record within the record.
    case record(String, ResponseView)
    /// A list of records; `null` if the answer has none.
    case records(String, ResponseView)
    /// An object of which only the members that hold something are shown.
    case compact(String)
  }

  let members: [Member]

  init(_ members: [Member]) {
    self.members = members
  }

  func write(_ record: Dynamic, to writer: inout JSONWriter) {
    writer.beginObject()
    for member in members {
      switch member {
      case .always(let name, let fallback):
        writer.member(name)
        (record[name] ?? fallback).encodeJSON(&writer, [])
      case .ifSet(let name):
        guard let value = record[name], value.holdsSomething else { continue }
        writer.member(name)
        value.encodeJSON(&writer, [])
      case .record(let name, let view):
        writer.member(name)
        view.write(record[name] ?? .null, to: &writer)
      case .records(let name, let view):
        writer.member(name)
        view.write(list: record[name] ?? .null, to: &writer)
      case .compact(let name):
        writer.member(name)
        let held = (record[name]?.object ?? DynamicObject()).filter { $0.value.isShownInCompactForm }
        Dynamic.object(DynamicObject(held)).encodeJSON(&writer, [])
      }
    }
    writer.endObject()
  }

  func write(list: Dynamic, to writer: inout JSONWriter) {
    guard let elements = list.array else { return writer.null() }
    writer.array(elements) { write($1, to: &$0) }
  }
}

extension Dynamic {
  fileprivate var holdsSomething: Bool {
    switch self {
    case .null: false
    case .bool(let flag): flag
    case .int(let number): number != 0
    case .uint: true
    case .double(let number): number != 0
    case .string(let text): !text.isEmpty
    case .array(let elements): !elements.isEmpty
    case .object(let members): !members.isEmpty
    }
  }

  /// Objects stay even when they are empty.
  fileprivate var isShownInCompactForm: Bool {
    object != nil || holdsSomething
  }
}

extension ResponseView {
  static let keyValue = ResponseView([
    .always("Key", or: ""), .always("CreateIndex", or: 0), .always("ModifyIndex", or: 0), .always("LockIndex", or: 0),
    .always("Flags", or: 0), .always("Value", or: .null), .always("Session", or: ""),
  ])

  static let node = ResponseView([
    .always("ID", or: ""), .always("Node", or: ""), .always("Address", or: ""), .always("Datacenter", or: ""),
    .always("TaggedAddresses", or: .null), .always("Meta", or: .null), .always("CreateIndex", or: 0),
    .always("ModifyIndex", or: 0), .ifSet("Partition"), .ifSet("PeerName"), .ifSet("Locality"),
  ])

  static let service = ResponseView([
    .ifSet("Kind"), .always("ID", or: ""), .always("Service", or: ""), .always("Tags", or: .null),
    .always("Meta", or: .null), .always("Port", or: 0), .always("Address", or: ""), .ifSet("SocketPath"),
    .ifSet("TaggedAddresses"), .always("Weights", or: ["Passing": 1, "Warning": 1]),
    .always("EnableTagOverride", or: false), .always("CreateIndex", or: 0), .always("ModifyIndex", or: 0),
    .ifSet("ContentHash"), .compact("Proxy"), .compact("Connect"), .ifSet("PeerName"), .ifSet("Namespace"),
    .ifSet("Partition"), .ifSet("Datacenter"), .ifSet("Locality"),
  ])

  static let checkDefinition = ResponseView([
    .always("Interval", or: "0s"), .always("Timeout", or: "0s"), .always("DeregisterCriticalServiceAfter", or: "0s"),
    .always("HTTP", or: ""), .always("Header", or: .null), .always("Method", or: ""), .always("Body", or: ""),
    .always("TLSServerName", or: ""), .always("TLSSkipVerify", or: false), .always("TCP", or: ""),
    .always("TCPUseTLS", or: false), .always("UDP", or: ""), .always("GRPC", or: ""), .always("OSService", or: ""),
    .always("GRPCUseTLS", or: false),
  ])

  static let check = ResponseView([
    .always("Node", or: ""), .always("CheckID", or: ""), .always("Name", or: ""), .always("Status", or: ""),
    .always("Notes", or: ""), .always("Output", or: ""), .always("ServiceID", or: ""), .always("ServiceName", or: ""),
    .always("ServiceTags", or: .null), .always("Type", or: ""), .ifSet("Namespace"), .ifSet("Partition"),
    .always("ExposedPort", or: 0), .ifSet("PeerName"), .record("Definition", checkDefinition),
    .always("CreateIndex", or: 0), .always("ModifyIndex", or: 0),
  ])

  static let serviceEntry = ResponseView([
    .record("Node", node), .record("Service", service), .records("Checks", check),
  ])

  static let event = ResponseView([
    .always("ID", or: ""), .always("Name", or: ""), .always("Payload", or: .null), .always("NodeFilter", or: ""),
    .always("ServiceFilter", or: ""), .always("TagFilter", or: ""), .always("Version", or: 0),
    .always("LTime", or: 0),
  ])
}
