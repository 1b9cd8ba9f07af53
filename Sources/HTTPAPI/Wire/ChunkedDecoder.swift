/// Takes a chunked body apart (RFC 9112 section 7.1), whatever pieces it arrives in. Extensions and trailers are skipped.
struct ChunkedDecoder: Equatable {
  private enum Place: Equatable {
    case size, extensions, sizeEnd, data(Int), dataEnd, dataLineFeed, trailerStart, trailer, trailerLineFeed,
      lastLineFeed
    case done
  }

  /// Bytes of size lines, extensions and trailers.
  static let overheadLimit = 16 * 1024

  private var place = Place.size
  private var size = 0
  private var digits = 0
  private var overhead = 0

  var isDone: Bool { place == .done }

  /// Reads `input` and hands the parts of the body to `data`.
  ///
  /// - Returns: how many bytes belong to this body.
  mutating func feed(
    _ input: UnsafeRawBufferPointer, _ data: (UnsafeRawBufferPointer) -> Void
  ) throws(RequestError) -> Int {
    var index = 0
    while index < input.count, place != .done {
      if case .data(let left) = place {
        let taken = min(left, input.count - index)
        data(UnsafeRawBufferPointer(rebasing: input[index..<index + taken]))
        index += taken
        place = taken == left ? .dataEnd : .data(left - taken)
        continue
      }
      overhead += 1
      if overhead > Self.overheadLimit + size / 8 { throw .malformed("") }
      try step(input[index])
      index += 1
    }
    return index
  }

  private mutating func step(_ byte: UInt8) throws(RequestError) {
    switch place {
    case .size: try sizeByte(byte)
    case .extensions:
      if byte == 0x0D { place = .sizeEnd } else if byte == 0x0A { throw .malformed("") }
    case .sizeEnd:
      try require(byte, 0x0A)
      place = size == 0 ? .trailerStart : .data(size)
      digits = 0
    case .dataEnd:
      try require(byte, 0x0D)
      place = .dataLineFeed
    case .dataLineFeed:
      try require(byte, 0x0A)
      place = .size
      size = 0
    case .trailerStart: place = byte == 0x0D ? .lastLineFeed : .trailer
    case .trailer: if byte == 0x0D { place = .trailerLineFeed }
    case .trailerLineFeed:
      try require(byte, 0x0A)
      place = .trailerStart
    case .lastLineFeed:
      try require(byte, 0x0A)
      place = .done
    case .data, .done: break
    }
  }

  private mutating func sizeByte(_ byte: UInt8) throws(RequestError) {
    if let digit = hexDigitValue(byte) {
      digits += 1
      if digits > 15 { throw .malformed("") }
      size = size << 4 | Int(digit)
      return
    }
    guard digits > 0 else { throw .malformed("") }
    switch byte {
    case 0x0D: place = .sizeEnd
    case UInt8(ascii: ";"), 0x20, 0x09: place = .extensions
    default: throw .malformed("")
    }
  }

  private func require(_ byte: UInt8, _ wanted: UInt8) throws(RequestError) {
    if byte != wanted { throw .malformed("") }
  }
}

/// The value of a hexadecimal digit.
@inline(__always)
func hexDigitValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
