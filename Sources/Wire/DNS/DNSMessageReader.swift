/// Walks over the bytes of a message. Every read is checked against the end; names are checked against loops and limits.
///
/// The bytes are borrowed: a reader must not outlive the closure that handed out the buffer.
public struct DNSMessageReader {
  public let bytes: UnsafeRawBufferPointer
  /// Where the next read begins.
  public private(set) var offset = 0

  public init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  public var remaining: Int { bytes.count - offset }

  private func require(_ count: Int) throws(DNSMessageError) {
    guard count >= 0, count <= remaining else { throw .truncated(offset: offset) }
  }

  public mutating func readByte() throws(DNSMessageError) -> UInt8 {
    try require(1)
    defer { offset += 1 }
    return bytes[offset]
  }

  public mutating func readUInt16() throws(DNSMessageError) -> UInt16 {
    try require(2)
    defer { offset += 2 }
    return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }

  public mutating func readUInt32() throws(DNSMessageError) -> UInt32 {
    let upper = try readUInt16()
    let lower = try readUInt16()
    return UInt32(upper) << 16 | UInt32(lower)
  }

  public mutating func readBytes(_ count: Int) throws(DNSMessageError) -> [UInt8] {
    try require(count)
    defer { offset += count }
    return Array(bytes[offset..<offset + count])
  }

  public mutating func skip(_ count: Int) throws(DNSMessageError) {
    try require(count)
    offset += count
  }

  public mutating func readHeader() throws(DNSMessageError) -> DNSHeader {
    try require(DNSHeader.byteCount)
    return DNSHeader(
      id: try readUInt16(), flags: DNSFlags(rawValue: try readUInt16()), questionCount: try readUInt16(),
      answerCount: try readUInt16(), authorityCount: try readUInt16(), additionalCount: try readUInt16())
  }

  /// Reads a name and follows its compression pointers. A pointer must point before the part that it ends, which rules
  /// out loops (RFC 1035, section 4.1.4: "a prior occurrence").
  public mutating func readName() throws(DNSMessageError) -> DNSName {
    let start = offset
    if remaining > 0, bytes[start] == 0 {
      offset += 1
      return .root
    }
    var wire: [UInt8] = []
    wire.reserveCapacity(32)
    var position = offset
    var partStart = offset
    var end: Int?
    while true {
      guard position < bytes.count else { throw .truncated(offset: start) }
      let length = Int(bytes[position])
      switch length >> 6 {
      case 0:
        guard length > 0 else {
          offset = end ?? position + 1
          return DNSName(uncheckedWire: wire)
        }
        guard position + length < bytes.count else { throw .truncated(offset: start) }
        guard wire.count + length + 2 <= DNSName.byteLimit else { throw .nameTooLong(offset: start) }
        wire.append(contentsOf: bytes[position...position + length])
        position += length + 1
      case 3:
        guard position + 1 < bytes.count else { throw .truncated(offset: start) }
        let target = (length & 0x3F) << 8 | Int(bytes[position + 1])
        guard target < partStart else { throw .invalidPointer(offset: position) }
        end = end ?? position + 2
        position = target
        partStart = target
      default:
        throw .invalidLabel(offset: position)
      }
    }
  }

  /// Passes over a name without following its pointers.
  public mutating func skipName() throws(DNSMessageError) {
    let start = offset
    var position = offset
    while true {
      guard position < bytes.count else { throw .truncated(offset: start) }
      let length = Int(bytes[position])
      switch length >> 6 {
      case 0:
        position += length + 1
        guard position <= bytes.count else { throw .truncated(offset: start) }
        guard position - start <= DNSName.byteLimit else { throw .nameTooLong(offset: start) }
        if length == 0 {
          offset = position
          return
        }
      case 3:
        guard position + 1 < bytes.count else { throw .truncated(offset: start) }
        offset = position + 2
        return
      default:
        throw .invalidLabel(offset: position)
      }
    }
  }

  public mutating func readQuestion() throws(DNSMessageError) -> DNSQuestion {
    DNSQuestion(
      name: try readName(), type: DNSRecordType(rawValue: try readUInt16()), class: DNSClass(rawValue: try readUInt16())
    )
  }

  public mutating func skipRecord() throws(DNSMessageError) {
    try skipName()
    try skip(8)
    try skip(Int(try readUInt16()))
  }
}

/// What a query asks.
public struct DNSQuestion: Hashable, Sendable {
  public var name: DNSName
  public var type: DNSRecordType
  public var `class`: DNSClass

  public init(name: DNSName, type: DNSRecordType, class: DNSClass = .internet) {
    self.name = name
    self.type = type
    self.class = `class`
  }
}
