/// The compression of gossip: LZW (Welch 1984) with 8-bit literals, codes of 9 to 12 bits with the least significant bit
/// first, and a code that clears the dictionary.
enum LZW {
  private static let clear = 256
  private static let end = 257
  private static let widthMaximum = 12
  private static let codeMaximum = 1 << widthMaximum - 1

  // MARK: Compressing

  /// Codes gather here until they fill bytes.
  private struct BitWriter {
    var bytes: [UInt8] = []
    private var pending: UInt32 = 0
    private var count = 0

    mutating func write(_ code: Int, width: Int) {
      pending |= UInt32(truncatingIfNeeded: code) << UInt32(count)
      count += width
      while count >= 8 {
        bytes.append(UInt8(truncatingIfNeeded: pending))
        pending >>= 8
        count -= 8
      }
    }

    mutating func flush() {
      if count > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
    }
  }

  /// Codes by their prefix code and last byte: a hash table with open addressing.
  private struct CodeTable {
    /// Key and code, of which 0 is never used.
    private var slots: [UInt64]
    private let mask: Int

    /// - Parameter count: of entries at most.
    init(count: Int) {
      var size = 64
      while size < count * 2 { size *= 2 }
      slots = [UInt64](repeating: 0, count: size)
      mask = size - 1
    }

    /// The slot of a key, or the one where it belongs.
    private func slot(_ key: UInt32) -> Int {
      var index = Int(truncatingIfNeeded: (key &* 0x9E37_79B1) >> 12) & mask
      while slots[index] != 0, UInt32(truncatingIfNeeded: slots[index] >> 16) != key { index = (index + 1) & mask }
      return index
    }

    func code(_ key: UInt32) -> Int? {
      let entry = slots[slot(key)]
      return entry == 0 ? nil : Int(entry & 0xFFFF)
    }

    mutating func set(_ key: UInt32, code: Int) {
      slots[slot(key)] = UInt64(key) << 16 | UInt64(UInt16(truncatingIfNeeded: code))
    }

    mutating func clear() {
      for index in slots.indices { slots[index] = 0 }
    }
  }

  static func compress(_ input: [UInt8]) -> [UInt8] {
    var writer = BitWriter()
    writer.bytes.reserveCapacity(input.count)
    var width = 9
    writer.write(clear, width: width)
    guard var prefix = input.first.map(Int.init) else {
      writer.write(end, width: width)
      writer.flush()
      return writer.bytes
    }
    var table = CodeTable(count: min(input.count, codeMaximum))
    var last = end
    for byte in input.dropFirst() {
      let key = UInt32(prefix) << 8 | UInt32(byte)
      if let code = table.code(key) {
        prefix = code
        continue
      }
      writer.write(prefix, width: width)
      prefix = Int(byte)
      last += 1
      if last == 1 << width { width += 1 }
      if last == codeMaximum {
        writer.write(clear, width: widthMaximum)
        table.clear()
        width = 9
        last = end
      } else {
        table.set(key, code: last)
      }
    }
    writer.write(prefix, width: width)
    last += 1
    if last == 1 << width { width += 1 }
    if last == codeMaximum {
      writer.write(clear, width: widthMaximum)
      width = 9
    }
    writer.write(end, width: width)
    writer.flush()
    return writer.bytes
  }

  // MARK: Decompressing

  private struct BitReader {
    let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private var pending: UInt32 = 0
    private var count = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next code; nil at the end of the bytes.
    mutating func read(width: Int) -> Int? {
      while count < width {
        guard offset < bytes.count else { return nil }
        pending |= UInt32(bytes[offset]) << UInt32(count)
        offset += 1
        count += 8
      }
      defer {
        pending >>= UInt32(width)
        count -= width
      }
      return Int(pending & (1 << UInt32(width) - 1))
    }
  }

  /// What each code stands for: the string of another code and one more byte.
  private struct Dictionary {
    private var prefix = [UInt16](repeating: 0, count: codeMaximum + 1)
    private var suffix = [UInt8](repeating: 0, count: codeMaximum + 1)

    mutating func set(_ code: Int, prefix: Int, suffix: UInt8) {
      self.prefix[code] = UInt16(truncatingIfNeeded: prefix)
      self.suffix[code] = suffix
    }

    /// Appends the string of `code` and returns its first byte.
    func expand(_ code: Int, into out: inout [UInt8]) -> UInt8 {
      let start = out.count
      var code = code
      while code >= clear {
        out.append(suffix[code])
        code = Int(prefix[code])
      }
      let first = UInt8(truncatingIfNeeded: code)
      out.append(first)
      out[start...].reverse()
      return first
    }
  }

  /// - Throws: `corruptCompression`, `tooLarge` above `limit` bytes.
  static func decompress(_ input: UnsafeRawBufferPointer, limit: Int) throws(GossipError) -> [UInt8] {
    var reader = BitReader(input)
    var dictionary = Dictionary()
    var out: [UInt8] = []
    var width = 9
    // The code that stands for the string before this one and the first byte of this one.
    var assigning = end
    var last: Int?
    var isFull = false
    while true {
      guard let code = reader.read(width: width) else { throw .corruptCompression }
      if code == clear {
        (width, assigning, last, isFull) = (9, end, nil, false)
        continue
      }
      if code == end { return out }
      if code < (isFull ? codeMaximum + 1 : assigning) {
        let first = dictionary.expand(code, into: &out)
        if let last { dictionary.set(assigning, prefix: last, suffix: first) }
      } else if code == assigning, let last {
        let first = dictionary.expand(last, into: &out)
        out.append(first)
        dictionary.set(code, prefix: last, suffix: first)
      } else {
        throw .corruptCompression
      }
      guard out.count <= limit else { throw .tooLarge(part: "decompressed message", limit: limit) }
      // A full dictionary stays as it is until it is cleared.
      if isFull { continue }
      last = code
      assigning += 1
      guard assigning == 1 << width else { continue }
      if width < widthMaximum {
        width += 1
      } else {
        isFull = true
        last = nil
      }
    }
  }
}
