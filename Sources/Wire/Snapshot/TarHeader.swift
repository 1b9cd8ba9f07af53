/// The header of a member of a tar archive (POSIX.1-1988, "ustar"), as far as snapshots need it: regular files.
struct TarHeader: Equatable {
  static let blockSize = 512
  /// What fits into the eleven octal digits of a size.
  private static let octalLimit: UInt64 = 1 << 33

  enum Kind: Equatable {
    case file
    /// Extended attributes of the next member (pax).
    case attributes
    case other(UInt8)
  }

  var name: String
  var size: UInt64
  var kind = Kind.file

  /// The block of a regular file that only its owner may read.
  func encode(modified seconds: Int64) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: Self.blockSize)
    Self.put(Array(name.utf8.prefix(100)), at: 0, &block)
    Self.put(Self.octal(0o600, digits: 7), at: 100, &block)
    Self.put(Self.octal(0, digits: 7), at: 108, &block)
    Self.put(Self.octal(0, digits: 7), at: 116, &block)
    if size < Self.octalLimit {
      Self.put(Self.octal(size, digits: 11), at: 124, &block)
    } else {
      // Larger numbers are binary, marked by the highest bit (GNU).
      block[124] = 0x80
      for place in 0..<8 { block[135 - place] = UInt8(truncatingIfNeeded: size >> (8 * UInt64(place))) }
    }
    Self.put(Self.octal(UInt64(max(seconds, 0)) % Self.octalLimit, digits: 11), at: 136, &block)
    block[156] = UInt8(ascii: "0")
    Self.put(Array("ustar\u{0}00".utf8), at: 257, &block)
    Self.put(Array(repeating: 0x20, count: 8), at: 148, &block)
    Self.put(Self.octal(UInt64(Self.checksum(block)), digits: 6) + [0, 0x20], at: 148, &block)
    return block
  }

  private static func put(_ bytes: [UInt8], at offset: Int, _ block: inout [UInt8]) {
    block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }

  private static func octal(_ value: UInt64, digits: Int) -> [UInt8] {
    let text = String(value, radix: 8)
    return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
  }

  /// The sum of all bytes, with blanks in the place of the sum itself.
  private static func checksum(_ block: [UInt8]) -> Int {
    block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element)) }
  }

  /// Nil for a block of zeros, which ends the archive.
  ///
  /// - Throws: `structure` for a block that is no header.
  init?(_ block: [UInt8]) throws(SnapshotArchiveError) {
    guard block.count == Self.blockSize else { throw .structure("unexpected EOF") }
    if block.allSatisfy({ $0 == 0 }) { return nil }
    guard let sum = Self.number(block[148..<156]), sum == UInt64(Self.checksum(block)) else {
      throw .structure("archive/tar: invalid tar header")
    }
    guard let size = Self.number(block[124..<136]) else { throw .structure("archive/tar: invalid tar header") }
    self.size = size
    name = String(decoding: block[..<100].prefix { $0 != 0 }, as: UTF8.self)
    let prefix = block[345..<500].prefix { $0 != 0 }
    let isPOSIX = block[257..<263].elementsEqual("ustar\u{0}".utf8)
    if isPOSIX, !prefix.isEmpty { name = String(decoding: prefix, as: UTF8.self) + "/" + name }
    switch block[156] {
    case 0, UInt8(ascii: "0"): kind = .file
    case UInt8(ascii: "x"), UInt8(ascii: "g"): kind = .attributes
    case let other: kind = .other(other)
    }
  }

  init(name: String, size: UInt64) {
    self.name = name
    self.size = size
  }

  private static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
    if let first = field.first, first & 0x80 != 0 {
      guard first == 0x80, field.dropLast(8).dropFirst().allSatisfy({ $0 == 0 }) else { return nil }
      return field.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
    let digits = field.drop { $0 == 0x20 || $0 == 0 }.prefix { $0 != 0x20 && $0 != 0 }
    if digits.isEmpty { return 0 }
    return UInt64(String(decoding: digits, as: UTF8.self), radix: 8)
  }

  /// How many bytes follow the content of a member, so that the next header begins with a block.
  static func padding(after size: UInt64) -> Int { Int((512 - size % 512) % 512) }
}
