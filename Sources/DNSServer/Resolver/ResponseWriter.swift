import Wire

/// How a query arrived, which bounds its answer.
enum DNSTransport {
  case datagram, stream
}

/// Writes drafts as messages, and cuts what does not fit.
struct ResponseWriter {
  /// Datagrams of clients that do not say what they take (RFC 1035, section 4.2.1).
  static let plainDatagramLimit = 512
  /// What a datagram can hold after the headers of UDP and IPv6.
  private static let datagramLimit = 65_487
  /// However high the setting: beyond this many records in such a datagram there is no use in them.
  private static let plainAnswerLimit = 8
  /// Records in one answer, on any transport.
  private static let answerLimit = 4096

  let query: DNSQuery
  let transport: DNSTransport
  let configuration: ResolverConfiguration

  init(_ query: DNSQuery, _ transport: DNSTransport, _ configuration: ResolverConfiguration) {
    self.query = query
    self.transport = transport
    self.configuration = configuration
  }

  /// Greatest length of the message in bytes.
  var byteLimit: Int {
    switch transport {
    case .stream: DNSMessageWriter.byteLimit
    case .datagram: min(max(Self.plainDatagramLimit, Int(query.extension?.payloadSize ?? 0)), Self.datagramLimit)
    }
  }

  /// Most answers the message may have.
  var answerLimit: Int {
    byteLimit == Self.plainDatagramLimit && transport == .datagram
      ? min(max(1, configuration.settings.udpAnswerLimit), Self.plainAnswerLimit) : Self.answerLimit
  }

  /// Writes a message; afterwards the writer holds it.
  func write(
    _ draft: AnswerDraft, code: DNSResponseCode, flags: DNSFlags, dependsOnClient: Bool, to writer: inout DNSMessageWriter
  ) {
    writer.compresses = !configuration.settings.disableCompression
    let marksTruncation = configuration.settings.enableTruncate
    let flags = query.flags.echoed.union(flags).with(code)
    let all = draft.answers.count
    let allowed = min(all, answerLimit)
    var message = Message(query: query, draft: draft, code: code, flags: flags, limit: byteLimit)
    if let request = query.extension {
      message.extensionScope = dependsOnClient ? request.clientSubnet?.sourcePrefix ?? 0 : 0
    }
    if marksTruncation && allowed < all { message.flags.insert(.truncated) }
    if message.write(answers: allowed, isCut: allowed < all, to: &writer) { return }
    message.onlyTargetExtras = true
    if message.write(answers: allowed, isCut: allowed < all, to: &writer) { return }
    // The greatest number of answers that fits, between `fitting` and `tooMany`.
    if marksTruncation { message.flags.insert(.truncated) }
    var fitting = 0
    var tooMany = allowed
    while tooMany - fitting > 1 {
      let middle = (fitting + tooMany) / 2
      if message.write(answers: middle, isCut: true, to: &writer) { fitting = middle } else { tooMany = middle }
    }
    // Nothing at all must not look like "there is nothing".
    if fitting == 0 && all > 0 { message.flags.insert(.truncated) }
    if message.write(answers: fitting, isCut: true, to: &writer) { return }
    writer.begin(id: query.id, flags: message.flags.union(.truncated), limit: byteLimit)
    _ = writer.writeQuestion(query.question)
  }

  /// One attempt at a message.
  private struct Message {
    let query: DNSQuery
    let draft: AnswerDraft
    let code: DNSResponseCode
    var flags: DNSFlags
    let limit: Int
    var extensionScope: UInt8 = 0
    var onlyTargetExtras = false

    /// - Parameter isCut: whether answers are missing. Then OPT is left out as well, as by the reference.
    /// - Returns: false if it does not fit.
    func write(answers count: Int, isCut: Bool, to writer: inout DNSMessageWriter) -> Bool {
      writer.begin(id: query.id, flags: flags, limit: limit)
      guard writer.writeQuestion(query.question) else { return false }
      for index in 0..<count {
        guard write(draft.answers[index], .answer, to: &writer) else { return false }
      }
      for record in draft.authorities {
        guard write(record, .authority, to: &writer) else { return false }
      }
      for extra in draft.extras where draft.answers.isEmpty || extra.answer < count {
        if (onlyTargetExtras || isCut) && !extra.describesTarget { continue }
        guard write(extra.record, .additional, to: &writer) else { return false }
      }
      guard let request = query.extension, !isCut else { return true }
      let size = max(UInt16(ResponseWriter.plainDatagramLimit), request.payloadSize)
      return writer.writeExtension(request, payloadSize: size, responseCode: code, subnetScope: extensionScope)
    }

    private func write(_ record: AnswerRecord, _ section: DNSMessageWriter.Section, to writer: inout DNSMessageWriter) -> Bool {
      writer.writeRecord(section, type: record.data.type, ttl: record.ttl) { writer in
        write(record.owner, to: &writer)
      } data: { writer in
        switch record.data {
        case .address(let address): writer.write(address)
        case .name(_, let name): write(name, to: &writer)
        case .service(let weight, let port, let target):
          writer.write(1 as UInt16) && writer.write(weight) && writer.write(port)
            && write(target, compressed: false, to: &writer)
        case .text(let text): writer.write(characterStrings: text)
        case .authority(let authority): writer.write(authority)
        }
      }
    }

    private func write(_ name: AnswerName, compressed: Bool = true, to writer: inout DNSMessageWriter) -> Bool {
      switch name {
      case .question: writer.write(query.question.name, compressed: compressed)
      case .name(let name): writer.write(name, compressed: compressed)
      case .labels(let text, let suffix): writer.write(labels: text, suffix: suffix, compressed: compressed)
      case .hexadecimal(let address, let suffix):
        writer.write(hexadecimal: address, suffix: suffix, compressed: compressed)
      }
    }
  }
}
