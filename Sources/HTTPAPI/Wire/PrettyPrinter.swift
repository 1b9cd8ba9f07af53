import Glibc

/// Lays compact JSON out as Go's indenting encoder does: four spaces a level, `": "` behind names, empty lists and objects
/// on one line, a line break at the end. Strings are copied in one piece, the rest byte by byte.
struct PrettyPrinter: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 1024) {
    self.capacity = capacity
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// The text laid out last.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  mutating func layOut(_ json: UnsafeRawBufferPointer) {
    count = 0
    var depth = 0
    var index = 0
    while index < json.count {
      let byte = json[index]
      switch byte {
      case UInt8(ascii: "\""):
        let end = endOfString(json, from: index)
        append(UnsafeRawBufferPointer(rebasing: json[index..<end]))
        index = end
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        append(byte)
        // The closing bracket of both kinds is the second character after the opening one.
        if index + 1 < json.count, json[index + 1] == byte &+ 2 {
          append(json[index + 1])
          index += 1
        } else {
          depth += 1
          lineBreak(depth)
        }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        lineBreak(depth)
        append(byte)
      case UInt8(ascii: ","):
        append(byte)
        lineBreak(depth)
      case UInt8(ascii: ":"):
        append(byte)
        append(0x20)
      case 0x20, 0x0A, 0x0D, 0x09: break
      default: append(byte)
      }
      index += 1
    }
    append(0x0A)
  }

  /// The offset behind the closing quote of the string at `start`.
  private func endOfString(_ json: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard let first = json.baseAddress else { return json.count }
    var index = start + 1
    while index < json.count {
      guard let found = memchr(first + index, 0x22, json.count - index) else { return json.count }
      let quote = UnsafeRawPointer(found) - first
      var backslashes = 0
      while quote - backslashes - 1 > start, json[quote - backslashes - 1] == UInt8(ascii: "\\") { backslashes += 1 }
      index = quote + 1
      if backslashes % 2 == 0 { return index }
    }
    return json.count
  }

  private mutating func lineBreak(_ depth: Int) {
    let pad = max(depth, 0) &* 4
    reserve(pad &+ 1)
    base[count] = 0x0A
    memset(base + count + 1, 0x20, pad)
    count &+= pad &+ 1
  }

  @inline(__always)
  private mutating func append(_ byte: UInt8) {
    reserve(1)
    base[count] = byte
    count &+= 1
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    reserve(bytes.count)
    memcpy(base + count, start, bytes.count)
    count &+= bytes.count
  }

  @inline(__always)
  private mutating func reserve(_ extra: Int) {
    if count &+ extra > capacity { grow(extra) }
  }

  @inline(never)
  private mutating func grow(_ extra: Int) {
    capacity = max(capacity * 2, count + extra)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }
}
