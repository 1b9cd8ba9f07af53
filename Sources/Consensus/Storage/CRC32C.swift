/// CRC-32C (Castagnoli; RFC 3720, section 12.1), eight bytes per step ("slicing by 8").
struct CRC32C: Sendable {
  private var state: UInt32 = .max

  init() {}

  var value: UInt32 { ~state }

  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum = CRC32C()
    sum.update(bytes)
    return sum.value
  }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var crc = state
    Self.tables.withUnsafeBufferPointer { table in
      var offset = 0
      let count = bytes.count
      while offset + 8 <= count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
        crc =
          table[1792 + Int(word & 0xff)] ^ table[1536 + Int(word >> 8 & 0xff)]
          ^ table[1280 + Int(word >> 16 & 0xff)] ^ table[1024 + Int(word >> 24 & 0xff)]
          ^ table[768 + Int(word >> 32 & 0xff)] ^ table[512 + Int(word >> 40 & 0xff)]
          ^ table[256 + Int(word >> 48 & 0xff)] ^ table[Int(word >> 56)]
        offset += 8
      }
      while offset < count {
        crc = table[Int((crc ^ UInt32(bytes[offset])) & 0xff)] ^ crc >> 8
        offset += 1
      }
    }
    state = crc
  }

  mutating func update(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { update($0) }
  }

  /// `tables[n × 256 + b]`: effect of byte `b` followed by `n` zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 2048)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
      tables[byte] = crc
    }
    for position in 256..<2048 {
      let before = tables[position - 256]
      tables[position] = tables[Int(before & 0xff)] ^ before >> 8
    }
    return tables
  }()
}
