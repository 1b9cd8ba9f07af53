import Wire

@testable import DNSServer

/// An answer as text, sorted where order is left to chance.
struct Answer: Equatable, CustomStringConvertible {
  var code = "NOERROR"
  var flags: Set<String> = ["AA", "RD"]
  var answer: [String] = []
  var authority: [String] = []
  var additional: [String] = []
  /// Payload size of OPT.
  var payload: UInt16?

  init(
    _ answer: [String] = [], authority: [String] = [], additional: [String] = [], code: String = "NOERROR",
    flags: Set<String> = ["AA", "RD"], payload: UInt16? = nil
  ) {
    self.answer = answer.sorted()
    self.authority = authority.sorted()
    self.additional = additional.sorted()
    self.code = code
    self.flags = flags
    self.payload = payload
  }

  static func nameError(_ domain: String = "consul", payload: UInt16? = nil) -> Answer {
    Answer(authority: [soa(domain)], code: "NXDOMAIN", payload: payload)
  }

  static func soa(_ domain: String = "consul", _ numbers: String = "3600 600 86400 0", ttl: Int = 0) -> String {
    "\(domain). \(ttl) SOA ns.\(domain). hostmaster.\(domain). 1700000000 \(numbers)"
  }

  static let refused = Answer(code: "REFUSED", flags: ["RD"])

  init(_ message: DNSMessage) {
    let codes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]
    let number = Int(message.header.flags.responseCode.rawValue)
    code = codes.indices.contains(number) ? codes[number] : "\(number)"
    let names: [(DNSFlags, String)] = [
      (.authoritative, "AA"), (.truncated, "TC"), (.recursionDesired, "RD"), (.recursionAvailable, "RA"),
    ]
    flags = Set(names.filter { message.header.flags.contains($0.0) }.map(\.1))
    answer = message.answers.map(\.text).sorted()
    authority = message.authorities.map(\.text).sorted()
    additional = message.additionals.filter { $0.type != .opt }.map(\.text).sorted()
    payload = message.extensionRecord?.class.rawValue
  }

  var description: String {
    "\(code) \(flags.sorted()) \(answer) | \(authority) | \(additional) \(payload.map { "edns \($0)" } ?? "")"
  }
}

extension DNSRecord {
  /// `owner ttl TYPE data`, as dig shows it.
  var text: String { "\(name) \(ttl) \(type) \(data.text)" }
}

extension DNSRecordData {
  var text: String {
    switch self {
    case .address(let address): "\(address)"
    case .name(let name): "\(name)"
    case .service(let priority, let weight, let port, let target): "\(priority) \(weight) \(port) \(target)"
    case .mail(let preference, let exchange): "\(preference) \(exchange)"
    case .authority(let soa):
      "\(soa.nameServer) \(soa.mailbox) \(soa.serial) \(soa.refresh) \(soa.retry) \(soa.expire) \(soa.minimumTTL)"
    case .text(let strings): strings.map { "\"\(String(decoding: $0, as: UTF8.self))\"" }.joined(separator: " ")
    case .opaque(let bytes): "\(bytes)"
    }
  }
}

/// Numbers from a seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

/// Resolves and writes one query without sockets, and reads what was written.
struct TestResolver {
  var settings = DNSSettings()
  var catalog = FixtureCatalog()
  var seed: UInt64 = 1
  var transport = DNSTransport.datagram
  var client: DNSAddress?

  /// The resolver's verdict and, where it is an answer, the message.
  func resolve(
    _ name: String, _ type: DNSRecordType = .a, edns: UInt16? = nil, flags: DNSFlags = .recursionDesired,
    class recordClass: DNSClass = .internet
  ) throws -> (Resolution, DNSMessage?) {
    let configuration = try ResolverConfiguration(settings)
    let query = DNSQuery(
      id: 1, flags: flags, question: DNSQuestion(name: try DNSName(name), type: type, class: recordClass),
      extension: edns.map { DNSExtension(payloadSize: $0) })
    let response = ResponseWriter(query, transport, configuration)
    var resolver = Resolver(
      configuration: configuration, context: catalog, client: client, now: 1_700_000_000,
      answerLimit: response.answerLimit + 1, random: SeededGenerator(state: seed), draft: AnswerDraft(), order: [])
    let resolution = resolver.resolve(query.question)
    guard case .answer(let code) = resolution else { return (resolution, nil) }
    var writer = DNSMessageWriter()
    var own: DNSFlags = code == .refused ? [] : .authoritative
    if configuration.hasRecursors { own.insert(.recursionAvailable) }
    response.write(resolver.draft, code: code, flags: own, dependsOnClient: resolver.dependsOnClient, to: &writer)
    return (resolution, try DNSMessage(writer.bytes))
  }

  func ask(_ name: String, _ type: DNSRecordType = .a, edns: UInt16? = nil) throws -> Answer? {
    try resolve(name, type, edns: edns).1.map { Answer($0) }
  }
}
