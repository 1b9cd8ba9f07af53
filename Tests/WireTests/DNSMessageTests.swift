import Testing

@testable import Wire

/// Bytes from text: two-digit hexadecimal numbers parted by spaces, and quoted runs of characters.
private func bytes(_ text: String) -> [UInt8] {
  text.split(separator: " ").flatMap { word -> [UInt8] in
    if word.hasPrefix("'") { return Array(word.dropFirst().dropLast().utf8) }
    return UInt8(word, radix: 16).map { [$0] } ?? []
  }
}

private func request(_ raw: [UInt8]) -> DNSRequest { raw.withUnsafeBytes { DNSRequest($0) } }

@Suite("DNS messages")
struct DNSMessageTests {
  static let header = "12 34 01 00 00 01 00 00 00 00 00 00"
  static let question = "03 'web' 06 'consul' 00 00 21 00 01"

  @Test func aQueryIsRead() throws {
    let expected = DNSQuery(
      id: 0x1234, flags: .recursionDesired, question: DNSQuestion(name: try DNSName("web.consul"), type: .srv))
    #expect(request(bytes(Self.header + " " + Self.question)) == .query(expected))
  }

  @Test func anExtensionIsReadWithTheSubnetOfTheClient() throws {
    let raw = bytes(
      "12 34 01 00 00 01 00 00 00 00 00 01 " + Self.question
        + " 00 00 29 10 00 00 00 80 00 00 0F 00 0A 00 00 00 08 00 07 00 01 18 00 C0 00 02")
    let subnet = DNSClientSubnet(address: .v4(0xC000_0200), sourcePrefix: 24)
    guard case .query(let query) = request(raw) else {
      Issue.record("not read as a query")
      return
    }
    #expect(
      query.extension == DNSExtension(payloadSize: 4096, version: 0, wantsSecurity: true, clientSubnet: subnet))
  }

  @Test(arguments: [
    ("nothing at all", ""),
    ("half a header", "12 34 01 00 00 01"),
    ("a response", "12 34 81 00 00 01 00 00 00 00 00 00 03 'web' 00 00 01 00 01"),
  ])
  func whatNeedsNoAnswerIsIgnored(_: String, text: String) {
    #expect(request(bytes(text)) == .ignore)
  }

  @Test(arguments: [
    ("no question", "12 34 01 00 00 00 00 00 00 00 00 00"),
    ("two questions", "12 34 01 00 00 02 00 00 00 00 00 00 00 00 01 00 01 00 00 01 00 01"),
    ("the question is missing", "12 34 01 00 00 01 00 00 00 00 00 00"),
    ("a label runs over the end", "12 34 01 00 00 01 00 00 00 00 00 00 09 'web'"),
    ("a name without end", "12 34 01 00 00 01 00 00 00 00 00 00 03 'web'"),
    ("type without class", "12 34 01 00 00 01 00 00 00 00 00 00 00 00 01"),
    ("a pointer to itself", "12 34 01 00 00 01 00 00 00 00 00 00 C0 0C 00 01 00 01"),
    ("a pointer forwards", "12 34 01 00 00 01 00 00 00 00 00 00 C0 10 00 01 00 01 00"),
    ("a reserved kind of label", "12 34 01 00 00 01 00 00 00 00 00 00 41 'a' 00 00 01 00 01"),
    ("many records in a query", "12 34 01 00 00 01 00 02 00 00 00 00 00 00 01 00 01"),
    ("a count without records", "12 34 01 00 00 01 00 00 00 00 00 01 00 00 01 00 01"),
    (
      "two OPT records",
      "12 34 01 00 00 01 00 00 00 00 00 02 00 00 01 00 01 00 00 29 10 00 00 00 00 00 00 00 00 00 29 10 00 00 00 00 00 00 00"
    ),
    (
      "OPT below a name",
      "12 34 01 00 00 01 00 00 00 00 00 01 00 00 01 00 01 01 'a' 00 00 29 10 00 00 00 00 00 00 00"
    ),
    (
      "an option longer than OPT",
      "12 34 01 00 00 01 00 00 00 00 00 01 00 00 01 00 01 00 00 29 10 00 00 00 00 00 00 04 00 08 00 07"
    ),
    (
      "a subnet with too many octets",
      "12 34 01 00 00 01 00 00 00 00 00 01 00 00 01 00 01 00 00 29 10 00 00 00 00 00 00 09 00 08 00 05 00 01 00 00 C0"
    ),
  ])
  func malformedQueriesAreFormatErrors(_: String, text: String) {
    #expect(request(bytes(text)) == .refuse(id: 0x1234, flags: .recursionDesired, .formatError))
  }

  @Test func otherOpcodesAreNotImplemented() {
    let flags = DNSFlags(rawValue: 0x2800)
    #expect(flags.opcode == 5)
    #expect(
      request(bytes("12 34 28 00 00 01 00 00 00 00 00 00 00 00 06 00 01"))
        == .refuse(id: 0x1234, flags: flags, .notImplemented))
    #expect(flags.echoed.with(.notImplemented).rawValue == 0xA804)
  }

  @Test func namesFollowPointersBackwardsOnly() throws {
    // "consul" at 0, "web" + pointer at 8, pointer to it at 14, then a chain that would loop.
    let raw = bytes("06 'consul' 00 03 'web' C0 00 C0 08")
    let names = try raw.withUnsafeBytes { buffer throws -> [DNSName] in
      var reader = DNSMessageReader(buffer)
      let names = [try reader.readName(), try reader.readName(), try reader.readName()]
      #expect(reader.remaining == 0)
      return names
    }
    #expect(names.map(\.description) == ["consul.", "web.consul.", "web.consul."])
    bytes("01 'a' C0 00").withUnsafeBytes { buffer in
      var reader = DNSMessageReader(buffer)
      #expect(throws: DNSMessageError.invalidPointer(offset: 2)) { try reader.readName() }
    }
  }

  @Test func namesBeyond255BytesAreRefusedEvenByPointers() {
    var raw: [UInt8] = []
    for _ in 0..<3 {
      raw.append(63)
      raw += Array(repeating: 97, count: 63)
    }
    raw.append(0)
    let second = raw.count
    raw.append(63)
    raw += Array(repeating: 98, count: 63) + [0xC0, 0]
    raw.withUnsafeBytes { buffer in
      var reader = DNSMessageReader(buffer)
      #expect(throws: Never.self) { try reader.readName() }
      #expect(reader.offset == second)
      #expect(throws: DNSMessageError.nameTooLong(offset: second)) { try reader.readName() }
    }
  }

  @Test func recordsOfEveryKnownTypeSurviveWritingAndReading() throws {
    let name = try DNSName("a.consul")
    let records = [
      DNSRecord(name: name, type: .a, ttl: 5, data: .address(.v4(0xC000_0201))),
      DNSRecord(name: name, type: .aaaa, ttl: 5, data: .address(.v6(0x2001_0DB8_0000_0000, 1))),
      DNSRecord(name: name, type: .cname, data: .name(try DNSName("b.consul"))),
      DNSRecord(name: name, type: .ptr, data: .name(try DNSName("c.consul"))),
      DNSRecord(name: name, type: .ns, data: .name(.root)),
      DNSRecord(
        name: name, type: .srv, data: .service(priority: 1, weight: 2, port: 65535, target: try DNSName("d.consul"))),
      DNSRecord(name: name, type: .mx, data: .mail(preference: 10, exchange: try DNSName("e.consul"))),
      DNSRecord(
        name: try DNSName("consul"), type: .soa,
        data: .authority(
          DNSAuthority(
            nameServer: try DNSName("ns.consul"), mailbox: try DNSName("hostmaster.consul"), serial: 1_700_000_000,
            refresh: 3600, retry: 600, expire: 86400, minimumTTL: 0))),
      DNSRecord(name: name, type: .txt, data: .text([Array("k=v".utf8), [], [0, 255]])),
      DNSRecord(name: name, type: DNSRecordType(rawValue: 65), data: .opaque([1, 2, 3])),
    ]
    for compresses in [true, false] {
      let writer = DNSTestWriter()
      writer.compresses = compresses
      writer.begin(id: 7, flags: .response)
      #expect(writer.writeQuestion(DNSQuestion(name: name, type: .any)))
      for record in records { #expect(writer.writeRecord(.answer, record)) }
      #expect(writer.writeRecord(.authority, records[0]))
      #expect(writer.writeRecord(.additional, records[1], ttl: 9))
      let message = try DNSMessage(writer.bytes)
      #expect(message.answers == records)
      #expect(message.authorities == [records[0]])
      #expect(message.additionals.first?.ttl == 9)
      #expect(message.questions == [DNSQuestion(name: name, type: .any)])
    }
  }

  @Test func answersAreCompressedByteByByte() throws {
    let writer = DNSTestWriter()
    writer.begin(id: 0x1234, flags: [.response, .authoritative, .recursionDesired])
    let name = try DNSName("web.service.consul")
    #expect(writer.writeQuestion(DNSQuestion(name: name, type: .srv)))
    let suffix = try DNSName("node.dc1.consul")
    #expect(
      writer.writeRecord(.answer, type: .srv, ttl: 30) {
        $0.write(name)
      } data: {
        $0.write(1 as UInt16) && $0.write(1 as UInt16) && $0.write(8080 as UInt16)
          && $0.write(labels: "n1", suffix: suffix, compressed: false)
      })
    #expect(
      writer.writeRecord(.additional, type: .a, ttl: 30) {
        $0.write(labels: "n1", suffix: suffix)
      } data: {
        $0.write(DNSAddress.v4(0xC000_0201))
      })
    let expected = bytes(
      "12 34 85 00 00 01 00 01 00 00 00 01 03 'web' 07 'service' 06 'consul' 00 00 21 00 01"
        + " C0 0C 00 21 00 01 00 00 00 1E 00 1A 00 01 00 01 1F 90 02 'n1' 04 'node' 03 'dc1' 06 'consul' 00"
        + " C0 36 00 01 00 01 00 00 00 1E 00 04 C0 00 02 01")
    #expect(Array(writer.bytes) == expected)
  }

  @Test func aSuffixSpelledDifferentlyIsNotShared() throws {
    let writer = DNSTestWriter()
    writer.begin(id: 0, flags: .response)
    let names = try ["a.Consul", "b.consul", "c.Consul", "c.consul"].map { try DNSName($0) }
    for name in names {
      #expect(writer.writeRecord(.answer, DNSRecord(name: name, type: .a, data: .address(.v4(0)))))
    }
    #expect(try DNSMessage(writer.bytes).answers.map(\.name) == names)
  }

  @Test func aRecordThatDoesNotFitLeavesNoTrace() throws {
    let writer = DNSTestWriter()
    let long = try DNSName("some-rather-long-name.consul")
    writer.begin(id: 0, flags: .response, limit: 60)
    #expect(writer.writeRecord(.answer, DNSRecord(name: try DNSName("a.consul"), type: .a, data: .address(.v4(1)))))
    let before = Array(writer.bytes)
    #expect(!writer.writeRecord(.answer, DNSRecord(name: long, type: .a, data: .address(.v4(2)))))
    #expect(Array(writer.bytes) == before)
    #expect(writer.writeRecord(.answer, DNSRecord(name: try DNSName("b.consul"), type: .a, data: .address(.v4(3)))))
    #expect(try DNSMessage(writer.bytes).answers.count == 2)
  }

  @Test func textOfAnyLengthBecomesPiecesOf255Bytes() throws {
    let text = String(repeating: "0123456789", count: 60)
    let writer = DNSTestWriter()
    writer.begin(id: 0, flags: .response)
    for value in [text, "", "é"] {
      #expect(
        writer.writeRecord(.answer, type: .txt, ttl: 0) {
          $0.write(.root)
        } data: {
          $0.write(characterStrings: value)
        })
    }
    let strings = try DNSMessage(writer.bytes).answers.map { record -> [[UInt8]] in
      if case .text(let strings) = record.data { strings } else { [] }
    }
    #expect(strings.map { $0.map(\.count) } == [[255, 255, 90], [0], [2]])
    #expect(strings[0].flatMap { $0 } == Array(text.utf8))
  }

  @Test func labelsThatNoNameCanHaveAreNotWritten() throws {
    let writer = DNSTestWriter()
    writer.begin(id: 0, flags: .response)
    let suffix = try DNSName("node.dc1.consul")
    let tooLong = Array(repeating: String(repeating: "a", count: 60), count: 4).joined(separator: ".")
    for text in ["", "a..b", ".a", "a.", String(repeating: "a", count: 64), tooLong] {
      #expect(!DNSName.canHold(labels: text, before: suffix), "\(text)")
      #expect(!writer.write(labels: text, suffix: suffix), "\(text)")
    }
    for text in ["a", "a.b", "Node_2", String(repeating: "a", count: 63), "two words"] {
      #expect(DNSName.canHold(labels: text, before: suffix), "\(text)")
      #expect(writer.write(labels: text, suffix: suffix), "\(text)")
    }
  }

  @Test func theExtensionOfAnAnswerCarriesCodeAndSubnet() throws {
    let writer = DNSTestWriter()
    writer.begin(id: 0, flags: DNSFlags.response.with(.badVersion))
    let subnet = DNSClientSubnet(address: .v6(0x2001_0DB8_1234_5678, 0), sourcePrefix: 56)
    let request = DNSExtension(payloadSize: 1232, wantsSecurity: true, clientSubnet: subnet)
    #expect(writer.writeExtension(request, payloadSize: 1232, responseCode: .badVersion, subnetScope: 56))
    #expect(
      Array(writer.bytes)
        == bytes(
          "00 00 80 00 00 00 00 00 00 00 00 01"
            + " 00 00 29 04 D0 01 00 80 00 00 0F 00 08 00 0B 00 02 38 38 20 01 0D B8 12 34 56"))
  }

  @Test func manyNamesAreSharedAndReadBackAlike() throws {
    let writer = DNSTestWriter()
    writer.begin(id: 0, flags: .response)
    var expected: [DNSName] = []
    for index in 0..<2500 {
      let name = try DNSName("n\(index).x\(index % 7).node.consul")
      guard writer.writeRecord(.answer, DNSRecord(name: name, type: .a, data: .address(.v4(UInt32(index))))) else {
        break
      }
      expected.append(name)
    }
    #expect(expected.count > 2000)
    #expect(try DNSMessage(writer.bytes).answers.map(\.name) == expected)
  }
}
