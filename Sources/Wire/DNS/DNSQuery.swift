/// What a client says of itself in an OPT record (RFC 6891).
public struct DNSExtension: Hashable, Sendable {
  /// Largest datagram the client takes, in bytes, as it stated it.
  public var payloadSize: UInt16
  public var version: UInt8
  /// The client wants DNSSEC records; repeated in the answer (RFC 3225).
  public var wantsSecurity: Bool
  public var clientSubnet: DNSClientSubnet?

  public init(
    payloadSize: UInt16, version: UInt8 = 0, wantsSecurity: Bool = false, clientSubnet: DNSClientSubnet? = nil
  ) {
    self.payloadSize = payloadSize
    self.version = version
    self.wantsSecurity = wantsSecurity
    self.clientSubnet = clientSubnet
  }
}

/// The network of the client that a resolver asks for (RFC 7871).
public struct DNSClientSubnet: Hashable, Sendable {
  /// 8 in the option list of OPT.
  public static let optionCode: UInt16 = 8

  /// The address with all bits after the prefix zero.
  public var address: DNSAddress
  /// Length of the prefix in bits.
  public var sourcePrefix: UInt8

  public init(address: DNSAddress, sourcePrefix: UInt8) {
    self.address = address
    self.sourcePrefix = sourcePrefix
  }

  /// Reads the data of the option; nil if family, length and address do not fit together.
  init?(option: [UInt8]) {
    guard option.count >= 4, option[0] == 0 else { return nil }
    let prefix = option[2]
    let octets = option[4...]
    guard octets.count == (Int(prefix) + 7) / 8 else { return nil }
    switch option[1] {
    case 1:
      guard prefix <= 32 else { return nil }
      let value = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32($1 < octets.count ? octets[4 + $1] : 0) }
      address = .v4(value)
    case 2:
      guard prefix <= 128 else { return nil }
      let halves = [0, 8].map { half in
        (half..<half + 8).reduce(UInt64(0)) { $0 << 8 | UInt64($1 < octets.count ? octets[4 + $1] : 0) }
      }
      address = .v6(halves[0], halves[1])
    default:
      return nil
    }
    sourcePrefix = prefix
  }

  /// The option's data as a response carries it; `scope` tells for how long a prefix the answer is valid (0: for all).
  func option(scope: UInt8) -> [UInt8] {
    var bytes: [UInt8] = []
    switch address {
    case .v4(let value):
      bytes = [0, 1, sourcePrefix, scope]
      for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
    case .v6(let upper, let lower):
      bytes = [0, 2, sourcePrefix, scope]
      for half in [upper, lower] {
        for shift in stride(from: 56, through: 0, by: -8) {
          bytes.append(UInt8(truncatingIfNeeded: half >> UInt64(shift)))
        }
      }
    }
    bytes.removeLast(bytes.count - 4 - min(bytes.count - 4, (Int(sourcePrefix) + 7) / 8))
    return bytes
  }
}

/// A query as a server reads it: one question and, perhaps, an OPT record.
public struct DNSQuery: Hashable, Sendable {
  public var id: UInt16
  public var flags: DNSFlags
  public var question: DNSQuestion
  public var `extension`: DNSExtension?

  public init(id: UInt16, flags: DNSFlags, question: DNSQuestion, extension: DNSExtension? = nil) {
    self.id = id
    self.flags = flags
    self.question = question
    self.extension = `extension`
  }

  /// The query as a message.
  public func encoded() -> [UInt8] {
    var writer = DNSMessageWriter()
    writer.begin(id: id, flags: flags)
    // Both always fit.
    _ = writer.writeQuestion(question)
    if let ext = `extension` {
      _ = writer.writeExtension(ext, payloadSize: ext.payloadSize, responseCode: .noError)
    }
    return Array(writer.bytes)
  }
}

/// What a server makes of the bytes that arrived.
public enum DNSRequest: Hashable, Sendable {
  case query(DNSQuery)
  /// Nothing to answer: no whole header, or a response.
  case ignore
  /// Answered with a bare header of this outcome: FORMERR or NOTIMP.
  case refuse(id: UInt16, flags: DNSFlags, DNSResponseCode)

  /// Counts of records beyond these in a query are no honest client's.
  private static let recordLimit: (answers: UInt16, authority: UInt16, additional: UInt16) = (1, 1, 2)

  public init(_ bytes: UnsafeRawBufferPointer) {
    var reader = DNSMessageReader(bytes)
    guard let header = try? reader.readHeader(), !header.flags.contains(.response) else {
      self = .ignore
      return
    }
    guard header.flags.opcode == 0 else {
      self = .refuse(id: header.id, flags: header.flags, .notImplemented)
      return
    }
    let refusal = DNSRequest.refuse(id: header.id, flags: header.flags, .formatError)
    let limit = Self.recordLimit
    guard
      header.questionCount == 1, header.answerCount <= limit.answers, header.authorityCount <= limit.authority,
      header.additionalCount <= limit.additional
    else {
      self = refusal
      return
    }
    do throws(DNSMessageError) {
      let question = try reader.readQuestion()
      for _ in 0..<header.answerCount + header.authorityCount { try reader.skipRecord() }
      var found: DNSExtension?
      for _ in 0..<header.additionalCount {
        guard let ext = try Self.readExtension(&reader) else { continue }
        // More than one OPT is an error (RFC 6891, section 6.1.1).
        guard found == nil else {
          self = refusal
          return
        }
        found = ext
      }
      self = .query(DNSQuery(id: header.id, flags: header.flags, question: question, extension: found))
    } catch {
      self = refusal
    }
  }

  /// Reads one record; nil if it is not OPT.
  private static func readExtension(_ reader: inout DNSMessageReader) throws(DNSMessageError) -> DNSExtension? {
    let start = reader.offset
    let name = try reader.readName()
    guard try reader.readUInt16() == DNSRecordType.opt.rawValue else {
      try reader.skip(6)
      try reader.skip(Int(try reader.readUInt16()))
      return nil
    }
    guard name.isRoot else { throw .invalidData(type: DNSRecordType.opt.rawValue, offset: start) }
    let payloadSize = try reader.readUInt16()
    _ = try reader.readByte()  // the upper bits of a response code, meaningless in a query
    let version = try reader.readByte()
    let wantsSecurity = try reader.readUInt16() & 0x8000 != 0
    let end = Int(try reader.readUInt16()) + reader.offset
    guard end <= reader.bytes.count else { throw .truncated(offset: start) }
    var subnet: DNSClientSubnet?
    while reader.offset < end {
      let code = try reader.readUInt16()
      let data = try reader.readBytes(Int(try reader.readUInt16()))
      guard reader.offset <= end else { throw .invalidData(type: DNSRecordType.opt.rawValue, offset: start) }
      guard code == DNSClientSubnet.optionCode else { continue }
      guard let read = DNSClientSubnet(option: data) else {
        throw .invalidData(type: DNSRecordType.opt.rawValue, offset: start)
      }
      subnet = read
    }
    return DNSExtension(
      payloadSize: payloadSize, version: version, wantsSecurity: wantsSecurity, clientSubnet: subnet)
  }
}
