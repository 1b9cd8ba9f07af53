// The bytes of a configuration entry: MessagePack `{Servers: [{Address, ID, Suffrage}]}`, strings of the raw family
// (no str8, no bin), so that they equal what other servers write. Decoding accepts every form a peer may use.

extension RaftConfiguration {
  /// More servers than any sane cluster has; a limit for the decoder.
  static let serverCountMax = 1024

  /// The value of a configuration entry's `data`.
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = [0x81]
    bytes.appendRaw("Servers")
    bytes.appendArrayHeader(servers.count)
    for server in servers {
      bytes.append(0x83)
      bytes.appendRaw("Address")
      bytes.appendRaw(server.address)
      bytes.appendRaw("ID")
      bytes.appendRaw(server.id)
      bytes.appendRaw("Suffrage")
      bytes.append(UInt8(server.suffrage.rawValue))
    }
    return bytes
  }

  /// - Throws: `ConfigurationDecodingError` with the offset of the first byte that makes no sense.
  public init(decoding bytes: [UInt8]) throws(ConfigurationDecodingError) {
    var reader = ConfigurationReader(bytes: bytes)
    servers = []
    for _ in 0..<(try reader.header(of: .map)) {
      if try reader.text() == "Servers" {
        let count = try reader.header(of: .array)
        guard count <= Self.serverCountMax else { throw ConfigurationDecodingError(offset: reader.offset) }
        for _ in 0..<count { servers.append(try reader.server()) }
      } else {
        try reader.skip(depth: 0)
      }
    }
    guard reader.isAtEnd else { throw ConfigurationDecodingError(offset: reader.offset) }
  }
}

public struct ConfigurationDecodingError: Error, Sendable, Equatable, CustomStringConvertible {
  public var offset: Int
  public var description: String { "malformed configuration at byte \(offset)" }
}

extension [UInt8] {
  fileprivate mutating func appendRaw(_ text: String) {
    let utf8 = text.utf8
    switch utf8.count {
    case 0..<32: append(0xa0 | UInt8(utf8.count))
    case 32..<65536:
      append(0xda)
      append(UInt8(truncatingIfNeeded: utf8.count >> 8))
      append(UInt8(truncatingIfNeeded: utf8.count))
    default:
      append(0xdb)
      for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: utf8.count >> shift)) }
    }
    append(contentsOf: utf8)
  }

  fileprivate mutating func appendArrayHeader(_ count: Int) {
    if count < 16 {
      append(0x90 | UInt8(count))
    } else {
      append(0xdc)
      append(UInt8(truncatingIfNeeded: count >> 8))
      append(UInt8(truncatingIfNeeded: count))
    }
  }
}

private struct ConfigurationReader {
  enum Container { case map, array }

  let bytes: [UInt8]
  var offset = 0

  var isAtEnd: Bool { offset == bytes.count }

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func byte() throws(ConfigurationDecodingError) -> UInt8 {
    guard offset < bytes.count else { throw ConfigurationDecodingError(offset: offset) }
    defer { offset += 1 }
    return bytes[offset]
  }

  /// A big-endian number of 1, 2, 4 or 8 bytes.
  mutating func number(width: Int) throws(ConfigurationDecodingError) -> UInt64 {
    var value: UInt64 = 0
    for _ in 0..<width { value = value << 8 | UInt64(try byte()) }
    return value
  }

  /// A count of elements or bytes, bounded by what the input can hold.
  mutating func count(width: Int) throws(ConfigurationDecodingError) -> Int {
    let value = try number(width: width)
    guard value <= UInt64(bytes.count) else { throw ConfigurationDecodingError(offset: offset) }
    return Int(value)
  }

  /// Number of elements; nil counts as empty.
  mutating func header(of container: Container) throws(ConfigurationDecodingError) -> Int {
    let start = offset
    let tag = try byte()
    switch (container, tag) {
    case (_, 0xc0): return 0
    case (.map, 0x80...0x8f), (.array, 0x90...0x9f): return Int(tag & 0x0f)
    case (.map, 0xde), (.array, 0xdc): return try count(width: 2)
    case (.map, 0xdf), (.array, 0xdd): return try count(width: 4)
    default: throw ConfigurationDecodingError(offset: start)
    }
  }

  mutating func text() throws(ConfigurationDecodingError) -> String {
    let start = offset
    let tag = try byte()
    let length: Int
    switch tag {
    case 0xc0: return ""
    case 0xa0...0xbf: length = Int(tag & 0x1f)
    case 0xd9, 0xc4: length = try count(width: 1)
    case 0xda, 0xc5: length = try count(width: 2)
    case 0xdb, 0xc6: length = try count(width: 4)
    default: throw ConfigurationDecodingError(offset: start)
    }
    guard length <= bytes.count - offset else { throw ConfigurationDecodingError(offset: start) }
    defer { offset += length }
    return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
  }

  mutating func suffrage() throws(ConfigurationDecodingError) -> RaftServer.Suffrage {
    let start = offset
    let tag = try byte()
    let value: UInt64
    switch tag {
    case 0x00...0x7f: value = UInt64(tag)
    case 0xc0: value = 0
    case 0xcc, 0xd0: value = try number(width: 1)
    case 0xcd, 0xd1: value = try number(width: 2)
    case 0xce, 0xd2: value = try number(width: 4)
    case 0xcf, 0xd3: value = try number(width: 8)
    default: throw ConfigurationDecodingError(offset: start)
    }
    guard value <= 2, let suffrage = RaftServer.Suffrage(rawValue: Int(value)) else {
      throw ConfigurationDecodingError(offset: start)
    }
    return suffrage
  }

  mutating func server() throws(ConfigurationDecodingError) -> RaftServer {
    var server = RaftServer(id: "", address: "", suffrage: .voter)
    for _ in 0..<(try header(of: .map)) {
      switch try text() {
      case "Address": server.address = try text()
      case "ID": server.id = try text()
      case "Suffrage": server.suffrage = try suffrage()
      default: try skip(depth: 0)
      }
    }
    return server
  }

  /// Steps over a value of an unknown field.
  mutating func skip(depth: Int) throws(ConfigurationDecodingError) {
    let start = offset
    guard depth < 16 else { throw ConfigurationDecodingError(offset: start) }
    let tag = try byte()
    switch tag {
    case 0x00...0x7f, 0xe0...0xff, 0xc0, 0xc2, 0xc3: break
    case 0xcc, 0xd0: try skip(bytes: 1)
    case 0xcd, 0xd1: try skip(bytes: 2)
    case 0xce, 0xd2, 0xca: try skip(bytes: 4)
    case 0xcf, 0xd3, 0xcb: try skip(bytes: 8)
    case 0xa0...0xbf, 0xd9...0xdb, 0xc4...0xc6:
      offset = start
      _ = try text()
    case 0x90...0x9f, 0xdc, 0xdd:
      offset = start
      for _ in 0..<(try header(of: .array)) { try skip(depth: depth + 1) }
    case 0x80...0x8f, 0xde, 0xdf:
      offset = start
      for _ in 0..<(try header(of: .map)) {
        try skip(depth: depth + 1)
        try skip(depth: depth + 1)
      }
    default: throw ConfigurationDecodingError(offset: start)
    }
  }

  private mutating func skip(bytes count: Int) throws(ConfigurationDecodingError) {
    guard count <= bytes.count - offset else { throw ConfigurationDecodingError(offset: offset) }
    offset += count
  }
}
