import Model

/// A user event as gossip carries it (wire/gossip.md, "Events and queries"): the payload of a Serf event that is named after
/// it.
public enum UserEventPayload {
  public static let prefix = "consul:event:"

  /// The name of the Serf event.
  public static func name(of event: UserEvent) -> String { prefix + event.name }

  /// Writes MessagePack, profile `userevent`. The Lamport time travels outside.
  public static func encode(_ event: UserEvent) -> [UInt8] {
    var writer = Writer()
    let optional: [(key: String, value: [UInt8], isText: Bool)] = [
      ("nf", Array(event.nodeFilter.utf8), true), ("p", event.payload.bytes, false),
      ("sf", Array(event.serviceFilter.utf8), true), ("tf", Array(event.tagFilter.utf8), true),
    ]
    let present = optional.filter { !$0.value.isEmpty }
    writer.bytes.append(0x80 | UInt8(present.count + 3))
    writer.text("ID")
    writer.text(event.id)
    writer.text("n")
    writer.text(event.name)
    for field in present {
      writer.text(field.key)
      if field.isText { writer.text(field.value) } else { writer.binary(field.value) }
    }
    writer.text("v")
    writer.bytes.append(UInt8(clamping: event.version) & 0x7F)
    return writer.bytes
  }

  /// - Throws: `MessagePackError` for bytes that are no event. Unknown keys are skipped.
  public static func decode(_ bytes: [UInt8]) throws(MessagePackError) -> UserEvent {
    let form = try Form(messagePack: bytes)
    var event = UserEvent()
    event.id = form.id
    event.name = form.name
    event.payload = form.payload
    event.nodeFilter = form.nodeFilter
    event.serviceFilter = form.serviceFilter
    event.tagFilter = form.tagFilter
    event.version = form.version
    return event
  }

  /// The keys as they travel.
  private struct Form: Record {
    var id = ""
    var name = ""
    var payload = Bytes()
    var nodeFilter = ""
    var serviceFilter = ""
    var tagFilter = ""
    var version = 0

    static let schema = Schema<Form>("agent.UserEvent") {
      $0.field("ID", \.id)
      $0.field("n", \.name)
      $0.field("p", \.payload)
      $0.field("nf", \.nodeFilter)
      $0.field("sf", \.serviceFilter)
      $0.field("tf", \.tagFilter)
      $0.field("v", \.version)
    }
  }

  /// The formats that only this profile uses: str8 and the bin family.
  private struct Writer {
    var bytes: [UInt8] = []

    mutating func text(_ text: String) { self.text(Array(text.utf8)) }

    mutating func text(_ text: [UInt8]) {
      if text.count < 32 {
        bytes.append(0xA0 | UInt8(text.count))
        bytes += text
      } else {
        sized(0xD9, text)
      }
    }

    mutating func binary(_ data: [UInt8]) { sized(0xC4, data) }

    /// The format for one byte of length, or one of the next two for more.
    private mutating func sized(_ format: UInt8, _ data: [UInt8]) {
      switch data.count {
      case 0..<0x100: bytes += [format, UInt8(data.count)]
      case 0..<0x1_0000: bytes += [format + 1, UInt8(data.count >> 8), UInt8(truncatingIfNeeded: data.count)]
      default:
        bytes.append(format + 2)
        withUnsafeBytes(of: UInt32(clamping: data.count).bigEndian) { bytes.append(contentsOf: $0) }
      }
      bytes += data
    }
  }
}

/// How large an event may be that gossip carries.
public enum SerfEventSize {
  /// Bytes of name and payload, and of the whole message.
  public static let limit = 512

  /// Why an event is too large; nil for one that is not.
  public static func problem(name: String, payload: [UInt8], lamportTime: UInt64) -> String? {
    if name.utf8.count + payload.count > limit {
      return "user event exceeds configured limit of \(limit) bytes before encoding"
    }
    var writer = MessagePackWriter()
    writer.mapHeader(4)
    writer.string("CC")
    writer.bool(false)
    writer.string("LTime")
    writer.integer(lamportTime)
    writer.string("Name")
    writer.string(name)
    writer.string("Payload")
    writer.binary(payload)
    // One byte tells the type of the message.
    return writer.bytes.count + 1 > limit
      ? "user event exceeds configured limit of \(limit) bytes after encoding" : nil
  }
}
