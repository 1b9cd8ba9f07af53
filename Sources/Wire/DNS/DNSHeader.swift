// DNS messages (RFC 1035 and its successors): names, questions, records and the writer that answers are built with.
// Owns the bytes of a message and their limits. Must not know what a zone contains, sockets, or the catalog.

/// The type of a resource record or question. Types without a name here are carried through as opaque data.
public struct DNSRecordType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let a = DNSRecordType(rawValue: 1)
  public static let ns = DNSRecordType(rawValue: 2)
  public static let cname = DNSRecordType(rawValue: 5)
  public static let soa = DNSRecordType(rawValue: 6)
  public static let ptr = DNSRecordType(rawValue: 12)
  public static let mx = DNSRecordType(rawValue: 15)
  public static let txt = DNSRecordType(rawValue: 16)
  public static let aaaa = DNSRecordType(rawValue: 28)
  public static let srv = DNSRecordType(rawValue: 33)
  /// The pseudo-record of EDNS (RFC 6891).
  public static let opt = DNSRecordType(rawValue: 41)
  public static let ixfr = DNSRecordType(rawValue: 251)
  public static let axfr = DNSRecordType(rawValue: 252)
  public static let any = DNSRecordType(rawValue: 255)

  private static let names: [UInt16: String] = [
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 41: "OPT",
    251: "IXFR", 252: "AXFR", 255: "ANY",
  ]

  /// The mnemonic, or `TYPE123` (RFC 3597) for types without one here.
  public var description: String { Self.names[rawValue] ?? "TYPE\(rawValue)" }
}

/// The class of a record; for OPT the field holds a payload size instead.
public struct DNSClass: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let internet = DNSClass(rawValue: 1)
  public static let any = DNSClass(rawValue: 255)
}

/// The outcome a response states. Codes above 15 need EDNS to be carried.
public struct DNSResponseCode: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let noError = DNSResponseCode(rawValue: 0)
  public static let formatError = DNSResponseCode(rawValue: 1)
  public static let serverFailure = DNSResponseCode(rawValue: 2)
  public static let nameError = DNSResponseCode(rawValue: 3)
  public static let notImplemented = DNSResponseCode(rawValue: 4)
  public static let refused = DNSResponseCode(rawValue: 5)
  /// The EDNS version of the query is not spoken here (RFC 6891, section 6.1.3).
  public static let badVersion = DNSResponseCode(rawValue: 16)
}

/// The second 16 bits of a header: what kind of message this is, and its outcome.
public struct DNSFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let response = DNSFlags(rawValue: 0x8000)
  public static let authoritative = DNSFlags(rawValue: 0x0400)
  public static let truncated = DNSFlags(rawValue: 0x0200)
  public static let recursionDesired = DNSFlags(rawValue: 0x0100)
  public static let recursionAvailable = DNSFlags(rawValue: 0x0080)
  public static let authenticData = DNSFlags(rawValue: 0x0020)
  public static let checkingDisabled = DNSFlags(rawValue: 0x0010)

  private static let opcodeMask: UInt16 = 0x7800
  private static let responseCodeMask: UInt16 = 0x000F

  /// The kind of request; 0 is a standard query.
  public var opcode: UInt8 { UInt8((rawValue & Self.opcodeMask) >> 11) }

  /// The lower four bits of the response code.
  public var responseCode: DNSResponseCode { DNSResponseCode(rawValue: rawValue & Self.responseCodeMask) }

  /// The same flags with another outcome; bits beyond the lower four belong into OPT.
  public func with(_ code: DNSResponseCode) -> DNSFlags {
    DNSFlags(rawValue: rawValue & ~Self.responseCodeMask | code.rawValue & Self.responseCodeMask)
  }

  /// What a response repeats of its query: opcode, and the wishes for recursion and unchecked data.
  public var echoed: DNSFlags {
    DNSFlags(rawValue: rawValue & Self.opcodeMask)
      .union(.response)
      .union(intersection([.recursionDesired, .checkingDisabled]))
  }
}

/// The twelve bytes every message starts with.
public struct DNSHeader: Hashable, Sendable {
  public static let byteCount = 12

  public var id: UInt16
  public var flags: DNSFlags
  public var questionCount: UInt16
  public var answerCount: UInt16
  public var authorityCount: UInt16
  public var additionalCount: UInt16

  public init(
    id: UInt16, flags: DNSFlags, questionCount: UInt16 = 0, answerCount: UInt16 = 0, authorityCount: UInt16 = 0,
    additionalCount: UInt16 = 0
  ) {
    self.id = id
    self.flags = flags
    self.questionCount = questionCount
    self.answerCount = answerCount
    self.authorityCount = authorityCount
    self.additionalCount = additionalCount
  }
}

/// What is wrong with the bytes of a message or the text of a name.
public enum DNSMessageError: Error, Hashable, Sendable {
  /// The bytes end inside a field; `offset` is where the field begins.
  case truncated(offset: Int)
  /// A label of zero or of more than 63 bytes, or of a kind that does not exist.
  case invalidLabel(offset: Int)
  /// A name of more than 255 bytes.
  case nameTooLong(offset: Int)
  /// A compression pointer that does not point backwards, or too many of them.
  case invalidPointer(offset: Int)
  /// Data whose length does not fit its type.
  case invalidData(type: UInt16, offset: Int)
  /// A text that is no domain name.
  case invalidText(String)
}
