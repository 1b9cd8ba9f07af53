/// A resource record with its data read. Building answers does not go through this type: see ``DNSMessageWriter``.
public struct DNSRecord: Hashable, Sendable {
  public var name: DNSName
  public var type: DNSRecordType
  /// For OPT: the payload size.
  public var `class`: DNSClass
  /// Seconds; for OPT: upper bits of the response code, version and flags.
  public var ttl: UInt32
  public var data: DNSRecordData

  public init(
    name: DNSName, type: DNSRecordType, class: DNSClass = .internet, ttl: UInt32 = 0, data: DNSRecordData
  ) {
    self.name = name
    self.type = type
    self.class = `class`
    self.ttl = ttl
    self.data = data
  }
}

/// The data of a record, with the names in it decompressed.
public enum DNSRecordData: Hashable, Sendable {
  case address(DNSAddress)
  /// CNAME, NS and PTR.
  case name(DNSName)
  case service(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName)
  case mail(preference: UInt16, exchange: DNSName)
  case authority(DNSAuthority)
  /// The character strings of TXT.
  case text([[UInt8]])
  /// Data of every other type, as it stands in the message.
  case opaque([UInt8])
}

/// The data of SOA; durations in seconds (RFC 1035, section 3.3.13).
public struct DNSAuthority: Hashable, Sendable {
  public var nameServer: DNSName
  public var mailbox: DNSName
  public var serial: UInt32
  public var refresh: UInt32
  public var retry: UInt32
  public var expire: UInt32
  /// How long "there is no such name" may be remembered (RFC 2308).
  public var minimumTTL: UInt32

  public init(
    nameServer: DNSName, mailbox: DNSName, serial: UInt32, refresh: UInt32, retry: UInt32, expire: UInt32,
    minimumTTL: UInt32
  ) {
    self.nameServer = nameServer
    self.mailbox = mailbox
    self.serial = serial
    self.refresh = refresh
    self.retry = retry
    self.expire = expire
    self.minimumTTL = minimumTTL
  }
}

extension DNSMessageReader {
  public mutating func readRecord() throws(DNSMessageError) -> DNSRecord {
    let name = try readName()
    let type = DNSRecordType(rawValue: try readUInt16())
    let recordClass = DNSClass(rawValue: try readUInt16())
    let ttl = try readUInt32()
    let length = Int(try readUInt16())
    guard length <= remaining else { throw .truncated(offset: offset) }
    let start = offset
    let data = try readData(of: type, length: length)
    guard offset == start + length else { throw .invalidData(type: type.rawValue, offset: start) }
    return DNSRecord(name: name, type: type, class: recordClass, ttl: ttl, data: data)
  }

  private mutating func readData(of type: DNSRecordType, length: Int) throws(DNSMessageError) -> DNSRecordData {
    let start = offset
    switch type {
    case .a:
      guard length == 4 else { throw .invalidData(type: type.rawValue, offset: start) }
      return .address(.v4(try readUInt32()))
    case .aaaa:
      guard length == 16 else { throw .invalidData(type: type.rawValue, offset: start) }
      let words = (try readUInt32(), try readUInt32(), try readUInt32(), try readUInt32())
      return .address(.v6(UInt64(words.0) << 32 | UInt64(words.1), UInt64(words.2) << 32 | UInt64(words.3)))
    case .cname, .ns, .ptr:
      return .name(try readName())
    case .srv:
      return .service(
        priority: try readUInt16(), weight: try readUInt16(), port: try readUInt16(), target: try readName())
    case .mx:
      return .mail(preference: try readUInt16(), exchange: try readName())
    case .soa:
      return .authority(
        DNSAuthority(
          nameServer: try readName(), mailbox: try readName(), serial: try readUInt32(), refresh: try readUInt32(),
          retry: try readUInt32(), expire: try readUInt32(), minimumTTL: try readUInt32()))
    case .txt:
      var strings: [[UInt8]] = []
      while offset < start + length { strings.append(try readBytes(Int(try readByte()))) }
      return .text(strings)
    default:
      return .opaque(try readBytes(length))
    }
  }
}

/// A whole message, read into values.
public struct DNSMessage: Hashable, Sendable {
  public var header: DNSHeader
  public var questions: [DNSQuestion] = []
  public var answers: [DNSRecord] = []
  public var authorities: [DNSRecord] = []
  public var additionals: [DNSRecord] = []

  /// Reads a message. A record count that the bytes cannot hold is noticed at the first missing record; no memory is
  /// set aside for counts.
  public init(_ bytes: UnsafeRawBufferPointer) throws(DNSMessageError) {
    var reader = DNSMessageReader(bytes)
    header = try reader.readHeader()
    for _ in 0..<header.questionCount { questions.append(try reader.readQuestion()) }
    for _ in 0..<header.answerCount { answers.append(try reader.readRecord()) }
    for _ in 0..<header.authorityCount { authorities.append(try reader.readRecord()) }
    for _ in 0..<header.additionalCount { additionals.append(try reader.readRecord()) }
  }

  public init(_ bytes: some Collection<UInt8>) throws(DNSMessageError) {
    let copy = Array(bytes)
    let result = copy.withUnsafeBytes { raw -> Result<DNSMessage, DNSMessageError> in
      do throws(DNSMessageError) { return .success(try DNSMessage(raw)) } catch { return .failure(error) }
    }
    self = try result.get()
  }

  /// The OPT record, where a response has one.
  public var extensionRecord: DNSRecord? { additionals.first { $0.type == .opt } }
}
