/// Writes messages into memory that it owns and uses again for the next one: header, question, records, with names
/// compressed (RFC 1035, section 4.1.4). Spelling is kept: a suffix is shared only if it is spelled alike.
///
/// A write that does not fit the limit leaves the message as it was and returns false.
///
/// Not copyable, because of its memory; not a class, because then every access would be checked while running.
public struct DNSMessageWriter: ~Copyable {
  /// Longest message: what the length field of a TCP message can state.
  public static let byteLimit = 65_535

  /// Which of the three lists of records is being written.
  public enum Section: Int, Sendable {
    case answer = 6
    case authority = 8
    case additional = 10
  }

  /// Bytes of the message so far.
  public private(set) var count = 0
  /// Whether names are compressed.
  public var compresses = true
  /// The message must not become longer than this.
  public private(set) var limit = byteLimit

  private let storage: UnsafeMutableRawBufferPointer
  /// A name being put together before it is written: up to 255 bytes.
  private let composed: UnsafeMutableBufferPointer<UInt8>
  /// Start and hash of each label suffix of the name being written.
  private let suffixes: UnsafeMutableBufferPointer<(start: UInt8, hash: UInt32)>
  private var table = DNSCompressionTable()

  public init() {
    storage = .allocate(byteCount: Self.byteLimit, alignment: 1)
    composed = .allocate(capacity: DNSName.byteLimit + 1)
    suffixes = .allocate(capacity: DNSName.byteLimit / 2 + 1)
    storage.initializeMemory(as: UInt8.self, repeating: 0)
    composed.initialize(repeating: 0)
    suffixes.initialize(repeating: (0, 0))
  }

  deinit {
    storage.deallocate()
    composed.deallocate()
    suffixes.deallocate()
  }

  /// The message; valid until the next write.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[..<count]) }

  /// Starts a message anew.
  /// - Parameter limit: greatest length in bytes, at least the header's.
  public mutating func begin(id: UInt16, flags: DNSFlags, limit: Int = byteLimit) {
    self.limit = min(max(limit, DNSHeader.byteCount), Self.byteLimit)
    table.clear()
    put(id, at: 0)
    put(flags.rawValue, at: 2)
    for offset in stride(from: 4, to: DNSHeader.byteCount, by: 2) { put(0, at: offset) }
    count = DNSHeader.byteCount
  }

  /// Changes the flags of the message being written.
  public mutating func set(_ flags: DNSFlags) {
    put(flags.rawValue, at: 2)
  }

  public mutating func writeQuestion(_ question: DNSQuestion) -> Bool {
    let start = count
    guard
      write(question.name), reserve(4)
    else {
      count = start
      return false
    }
    append(question.type.rawValue)
    append(question.class.rawValue)
    countUp(at: 4)
    return true
  }

  // MARK: Records

  /// Writes one record: `owner` writes its name, `data` what follows the length field; both return false if something
  /// does not fit, and the record is taken back.
  @inline(__always)
  public mutating func writeRecord(
    _ section: Section, type: DNSRecordType, class recordClass: DNSClass = .internet, ttl: UInt32,
    owner: (inout DNSMessageWriter) -> Bool, data: (inout DNSMessageWriter) -> Bool
  ) -> Bool {
    let start = count
    guard owner(&self), reserve(10) else {
      count = start
      return false
    }
    append(type.rawValue)
    append(recordClass.rawValue)
    append(ttl)
    let lengthOffset = count
    append(0 as UInt16)
    guard data(&self), let length = UInt16(exactly: count - lengthOffset - 2) else {
      count = start
      return false
    }
    put(length, at: lengthOffset)
    countUp(at: section.rawValue)
    return true
  }

  /// Writes the OPT record of a response: the payload size, version 0, and the client's subnet if it sent one.
  /// - Parameter subnetScope: for how long a prefix of the subnet the answer is valid.
  public mutating func writeExtension(
    _ request: DNSExtension, payloadSize: UInt16, responseCode: DNSResponseCode, subnetScope: UInt8 = 0
  ) -> Bool {
    let ttl = UInt32(responseCode.rawValue >> 4) << 24 | (request.wantsSecurity ? 0x8000 : 0)
    return writeRecord(.additional, type: .opt, class: DNSClass(rawValue: payloadSize), ttl: ttl) { writer in
      writer.write(.root)
    } data: { writer in
      guard let subnet = request.clientSubnet else { return true }
      let option = subnet.option(scope: subnetScope)
      return writer.write(DNSClientSubnet.optionCode) && writer.write(UInt16(option.count)) && writer.write(option)
    }
  }

  /// Writes a record that was read elsewhere. Names in data whose type is not known stay as they are.
  public mutating func writeRecord(_ section: Section, _ record: DNSRecord, ttl: UInt32? = nil) -> Bool {
    writeRecord(section, type: record.type, class: record.class, ttl: ttl ?? record.ttl) { writer in
      writer.write(record.name)
    } data: { writer in
      writer.write(record.data)
    }
  }

  // MARK: Fields

  public mutating func write(_ value: UInt8) -> Bool {
    guard reserve(1) else { return false }
    storage[count] = value
    count += 1
    return true
  }

  public mutating func write(_ value: UInt16) -> Bool {
    guard reserve(2) else { return false }
    append(value)
    return true
  }

  public mutating func write(_ value: UInt32) -> Bool {
    guard reserve(4) else { return false }
    append(value)
    return true
  }

  public mutating func write(_ data: some Collection<UInt8>) -> Bool {
    let length = data.count
    guard reserve(length) else { return false }
    UnsafeMutableRawBufferPointer(rebasing: storage[count..<count + length]).copyBytes(from: data)
    count += length
    return true
  }

  /// Writes text as the character strings of TXT: pieces of up to 255 bytes, each with its length.
  public mutating func write(characterStrings text: String) -> Bool {
    var text = text
    return text.withUTF8 { utf8 in
      var rest = utf8[...]
      repeat {
        let piece = rest.prefix(255)
        guard write(UInt8(truncatingIfNeeded: piece.count)), write(piece) else { return false }
        rest = rest.dropFirst(255)
      } while !rest.isEmpty
      return true
    }
  }

  public mutating func write(_ address: DNSAddress) -> Bool {
    switch address {
    case .v4(let value):
      return write(value)
    case .v6(let upper, let lower):
      guard reserve(16) else { return false }
      for half in [upper, lower] {
        append(UInt32(truncatingIfNeeded: half >> 32))
        append(UInt32(truncatingIfNeeded: half))
      }
      return true
    }
  }

  public mutating func write(_ data: DNSRecordData) -> Bool {
    switch data {
    case .address(let address): write(address)
    case .name(let name): write(name)
    case .service(let priority, let weight, let port, let target):
      // RFC 2782 forbids compressing the target.
      write(priority) && write(weight) && write(port) && write(target, compressed: false)
    case .mail(let preference, let exchange): write(preference) && write(exchange)
    case .authority(let authority): write(authority)
    case .text(let strings):
      strings.allSatisfy { string in string.count <= 255 && write(UInt8(string.count)) && write(string) }
    case .opaque(let bytes): write(bytes)
    }
  }

  public mutating func write(_ authority: DNSAuthority) -> Bool {
    write(authority.nameServer) && write(authority.mailbox) && write(authority.serial) && write(authority.refresh)
      && write(authority.retry) && write(authority.expire) && write(authority.minimumTTL)
  }

  // MARK: Names

  /// Writes a name.
  /// - Parameter compressed: false writes it in full; later names may still point at it.
  public mutating func write(_ name: DNSName, compressed: Bool = true) -> Bool {
    name.wire.withUnsafeBufferPointer { writeName($0, compressed: compressed) }
  }

  /// Writes a name whose first labels are text, parted by dots, before a suffix: no name value is built.
  /// - Returns: false if the space does not suffice, or if the text cannot be labels (``DNSName/canHold(labels:before:)``).
  public mutating func write(labels text: String, suffix: DNSName, compressed: Bool = true) -> Bool {
    var text = text
    let length = text.withUTF8 { utf8 in compose(utf8, suffix: suffix) }
    guard let length else { return false }
    return writeName(UnsafeBufferPointer(rebasing: composed[..<length]), compressed: compressed)
  }

  /// Writes a name whose first label is an address in hexadecimal.
  public mutating func write(hexadecimal address: DNSAddress, suffix: DNSName, compressed: Bool = true) -> Bool {
    var length = 1
    address.hexadecimalLabel { digit in
      composed[length] = digit
      length += 1
    }
    composed[0] = UInt8(length - 1)
    guard length + suffix.wire.count < DNSName.byteLimit else { return false }
    for byte in suffix.wire {
      composed[length] = byte
      length += 1
    }
    return writeName(UnsafeBufferPointer(rebasing: composed[..<length]), compressed: compressed)
  }

  /// Puts a name together in `composed`; nil if no name can be like this.
  private mutating func compose(_ text: UnsafeBufferPointer<UInt8>, suffix: DNSName) -> Int? {
    guard !text.isEmpty, text.count + 1 + suffix.wire.count < DNSName.byteLimit else { return nil }
    var lengthIndex = 0
    var length = 1
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard (1...DNSName.labelLimit).contains(length - lengthIndex - 1) else { return nil }
        composed[lengthIndex] = UInt8(length - lengthIndex - 1)
        lengthIndex = length
      } else {
        composed[length] = byte
      }
      length += 1
    }
    guard (1...DNSName.labelLimit).contains(length - lengthIndex - 1) else { return nil }
    composed[lengthIndex] = UInt8(length - lengthIndex - 1)
    for byte in suffix.wire {
      composed[length] = byte
      length += 1
    }
    return length
  }

  /// Writes a name given as length-prefixed labels.
  private mutating func writeName(_ name: UnsafeBufferPointer<UInt8>, compressed: Bool) -> Bool {
    guard compresses else { return writePlain(name) && write(0 as UInt8) }
    let labelCount = hashSuffixes(of: name)
    for index in 0..<labelCount {
      let suffix = suffixes[index]
      let start = Int(suffix.start)
      if compressed, let target = table.offset(hash: suffix.hash, where: { holds(name, from: start, at: Int($0)) }) {
        return writePlain(UnsafeBufferPointer(rebasing: name[..<start])) && write(0xC000 | target)
      }
    }
    return writePlain(name) && write(0 as UInt8)
  }

  /// Copies labels and makes each suffix that starts here known to later names.
  private mutating func writePlain(_ labels: UnsafeBufferPointer<UInt8>) -> Bool {
    guard reserve(labels.count) else { return false }
    let start = count
    if let base = labels.baseAddress {
      UnsafeMutableRawBufferPointer(rebasing: storage[start..<start + labels.count])
        .copyMemory(from: UnsafeRawBufferPointer(start: base, count: labels.count))
    }
    count += labels.count
    guard compresses else { return true }
    var index = 0
    var offset = 0
    while offset < labels.count {
      table.insert(hash: suffixes[index].hash, offset: start + offset)
      offset += 1 + Int(labels[offset])
      index += 1
    }
    return true
  }

  /// Notes start and hash of every suffix of a name; the hash runs from the last label to the first.
  private mutating func hashSuffixes(of name: UnsafeBufferPointer<UInt8>) -> Int {
    var labelCount = 0
    var offset = 0
    while offset < name.count {
      suffixes[labelCount].start = UInt8(truncatingIfNeeded: offset)
      offset += 1 + Int(name[offset])
      labelCount += 1
    }
    var hash: UInt32 = 0x811C_9DC5
    var end = name.count
    for index in stride(from: labelCount - 1, through: 0, by: -1) {
      let start = Int(suffixes[index].start)
      for position in start..<end { hash = (hash ^ UInt32(name[position])) &* 0x0100_0193 }
      suffixes[index].hash = hash
      end = start
    }
    return labelCount
  }

  /// Whether the name written at `offset` is spelled like `name` from `start` on.
  private func holds(_ name: UnsafeBufferPointer<UInt8>, from start: Int, at offset: Int) -> Bool {
    var position = start
    var written = offset
    while true {
      guard written < count else { return false }
      let length = Int(storage[written])
      if length >= 0xC0 {
        guard written + 1 < count else { return false }
        // A record that was taken back may have left any bytes here; only backwards is certain to end.
        let target = (length & 0x3F) << 8 | Int(storage[written + 1])
        guard target < written else { return false }
        written = target
        continue
      }
      guard position < name.count else { return length == 0 }
      guard length == Int(name[position]), written + length < count else { return false }
      for index in 0...length where storage[written + index] != name[position + index] { return false }
      written += length + 1
      position += length + 1
    }
  }

  // MARK: Memory

  @inline(__always)
  private func reserve(_ bytes: Int) -> Bool { bytes <= limit - count }

  /// The space must have been reserved.
  @inline(__always)
  private mutating func append(_ value: UInt16) {
    put(value, at: count)
    count += 2
  }

  @inline(__always)
  private mutating func append(_ value: UInt32) {
    append(UInt16(truncatingIfNeeded: value >> 16))
    append(UInt16(truncatingIfNeeded: value))
  }

  @inline(__always)
  private mutating func put(_ value: UInt16, at offset: Int) {
    storage[offset] = UInt8(truncatingIfNeeded: value >> 8)
    storage[offset + 1] = UInt8(truncatingIfNeeded: value)
  }

  private mutating func countUp(at offset: Int) {
    let value = UInt16(storage[offset]) << 8 | UInt16(storage[offset + 1])
    put(value &+ 1, at: offset)
  }
}
