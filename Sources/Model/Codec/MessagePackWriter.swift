/// Writes MessagePack, profile `rpc` (wire/messagepack.md): raw strings of the old family for text and bytes, the smallest
/// integer format, unsigned for all that is not negative.
public struct MessagePackWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func reserve(_ capacity: Int) { bytes.reserveCapacity(capacity) }

  public mutating func null() { bytes.append(0xC0) }
  public mutating func bool(_ value: Bool) { bytes.append(value ? 0xC3 : 0xC2) }

  public mutating func integer<T: FixedWidthInteger>(_ value: T) {
    if value >= 0 {
      unsigned(UInt64(value))
    } else {
      negative(Int64(value))
    }
  }

  private mutating func unsigned(_ value: UInt64) {
    switch value {
    case 0..<0x80: bytes.append(UInt8(value))
    case 0..<0x100:
      bytes.append(0xCC)
      bytes.append(UInt8(value))
    case 0..<0x1_0000:
      bytes.append(0xCD)
      bigEndian(UInt16(value))
    case 0..<0x1_0000_0000:
      bytes.append(0xCE)
      bigEndian(UInt32(value))
    default:
      bytes.append(0xCF)
      bigEndian(value)
    }
  }

  private mutating func negative(_ value: Int64) {
    switch value {
    case -32..<0: bytes.append(UInt8(bitPattern: Int8(value)))
    case -0x80..<0:
      bytes.append(0xD0)
      bytes.append(UInt8(bitPattern: Int8(value)))
    case -0x8000..<0:
      bytes.append(0xD1)
      bigEndian(UInt16(bitPattern: Int16(value)))
    case -0x8000_0000..<0:
      bytes.append(0xD2)
      bigEndian(UInt32(bitPattern: Int32(value)))
    default:
      bytes.append(0xD3)
      bigEndian(UInt64(bitPattern: value))
    }
  }

  public mutating func double(_ value: Double) {
    bytes.append(0xCB)
    bigEndian(value.bitPattern)
  }

  public mutating func float(_ value: Float) {
    bytes.append(0xCA)
    bigEndian(value.bitPattern)
  }

  public mutating func string(_ text: String) {
    var text = text
    text.withUTF8 { raw(header: $0.count, UnsafeRawBufferPointer($0)) }
  }

  public mutating func binary(_ data: [UInt8]) {
    data.withUnsafeBytes { raw(header: $0.count, $0) }
  }

  private mutating func raw(header count: Int, _ data: UnsafeRawBufferPointer) {
    switch count {
    case 0..<32: bytes.append(0xA0 | UInt8(count))
    case 0..<0x1_0000:
      bytes.append(0xDA)
      bigEndian(UInt16(count))
    default:
      bytes.append(0xDB)
      bigEndian(UInt32(clamping: count))
    }
    bytes.append(contentsOf: data)
  }

  public mutating func arrayHeader(_ count: Int) { header(count, fixed: 0x90, small: 0xDC, large: 0xDD) }
  public mutating func mapHeader(_ count: Int) { header(count, fixed: 0x80, small: 0xDE, large: 0xDF) }

  private mutating func header(_ count: Int, fixed: UInt8, small: UInt8, large: UInt8) {
    switch count {
    case 0..<16: bytes.append(fixed | UInt8(count))
    case 0..<0x1_0000:
      bytes.append(small)
      bigEndian(UInt16(count))
    default:
      bytes.append(large)
      bigEndian(UInt32(clamping: count))
    }
  }

  /// Bytes that are MessagePack already.
  mutating func raw(_ encoded: UnsafeRawBufferPointer) { bytes.append(contentsOf: encoded) }

  public mutating func raw(_ encoded: [UInt8]) { bytes.append(contentsOf: encoded) }

  private mutating func bigEndian<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
