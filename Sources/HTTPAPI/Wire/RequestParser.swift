import Glibc

/// Reads the head of an HTTP/1 request (RFC 9112). Strict where leniency lets requests be smuggled: lines end with CR LF,
/// no folded lines, no space before a colon, one body length.
enum RequestParser {
  /// Bytes of a head, including the empty line, unless the configuration says otherwise.
  static let headLimit = 1 << 20
  static let headerCountLimit = 200

  enum Outcome: Equatable {
    /// The head is not complete; the search may go on at `scanned`.
    case incomplete(scanned: Int)
    case failed(RequestError)
    /// The head fills the first `length` bytes.
    case head(RequestHead, length: Int)
  }

  /// Looks for a head at the start of `bytes`, whose first `scanned` bytes are known not to hold its end.
  static func parse(_ bytes: UnsafeRawBufferPointer, scanned: Int = 0, limit: Int = headLimit) -> Outcome {
    let skipped = emptyLines(bytes)
    guard let end = endOfHead(bytes, from: max(skipped, scanned - 3)) else {
      if bytes.count > limit { return .failed(.headTooLarge) }
      return .incomplete(scanned: bytes.count)
    }
    if end > limit { return .failed(.headTooLarge) }
    var scanner = HeadScanner(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<end]), place: skipped)
    do throws(RequestError) {
      try scanner.requestLine()
      try scanner.headers()
      try scanner.finish()
      return .head(scanner.head, length: end)
    } catch {
      return .failed(error)
    }
  }

  /// Empty lines before a request line are ignored (RFC 9112 section 2.2).
  private static func emptyLines(_ bytes: UnsafeRawBufferPointer) -> Int {
    var place = 0
    while place + 1 < bytes.count, bytes[place] == 0x0D, bytes[place + 1] == 0x0A, place < 8 { place += 2 }
    return place
  }

  /// The offset behind the first empty line at or after `start`.
  private static func endOfHead(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    var place = max(start, 0)
    while place + 4 <= bytes.count {
      guard let found = memchr(base + place, 0x0D, bytes.count - place - 3) else { return nil }
      place = UnsafeRawPointer(found) - base
      if bytes[place + 1] == 0x0A, bytes[place + 2] == 0x0D, bytes[place + 3] == 0x0A { return place + 4 }
      place += 1
    }
    return nil
  }
}

/// Walks over the bytes of one complete head.
private struct HeadScanner {
  let bytes: UnsafeRawBufferPointer
  var place: Int
  var head = RequestHead()
  private var isHTTP10 = false
  private var hosts = 0
  private var contentLength: Int?
  private var transferEncoding = false
  private var closes = false
  private var keepsAlive = false

  init(bytes: UnsafeRawBufferPointer, place: Int) {
    self.bytes = bytes
    self.place = place
  }

  // MARK: request line

  mutating func requestLine() throws(RequestError) {
    let method = try token(until: 0x20)
    head.method = HTTPMethod(method.bytes(in: bytes))
    var target = Span(start: place, count: 0)
    while place < bytes.count, bytes[place] > 0x20, bytes[place] != 0x7F { place &+= 1 }
    target.count = place - target.start
    guard target.count > 0, take(0x20) else { throw .malformed("") }
    try split(target)
    try version()
  }

  /// Origin form, absolute form, or `*` (RFC 9112 section 3.2).
  private mutating func split(_ target: Span) throws(RequestError) {
    var target = target
    let all = target.bytes(in: bytes)
    if all[0] != UInt8(ascii: "/") {
      if all.count == 1, all[0] == UInt8(ascii: "*"), head.method == .options {
        head.path = target
        return
      }
      target = try withoutAuthority(target)
    }
    if let mark = target.bytes(in: bytes).firstIndex(of: UInt8(ascii: "?")) {
      head.hasQuery = true
      head.query = Span(start: target.start + mark + 1, count: target.count - mark - 1)
      target.count = mark
    }
    head.path = target
  }

  /// The path of `http://host/path`.
  private func withoutAuthority(_ target: Span) throws(RequestError) -> Span {
    let all = target.bytes(in: bytes)
    for scheme in ["http://", "https://"] where all.count > scheme.utf8.count {
      guard all.prefix(scheme.utf8.count).elementsEqual(scheme.utf8, by: { $0 | 0x20 == $1 | 0x20 }) else { continue }
      guard let slash = all[scheme.utf8.count...].firstIndex(of: UInt8(ascii: "/")), slash > scheme.utf8.count else {
        break
      }
      return Span(start: target.start + slash, count: target.count - slash)
    }
    throw .malformed("")
  }

  private mutating func version() throws(RequestError) {
    guard bytes.count - place >= 10 else { throw .malformed("") }
    let text = UnsafeRawBufferPointer(rebasing: bytes[place..<place + 8])
    place += 8
    guard text.prefix(5).elementsEqual("HTTP/".utf8), text[6] == UInt8(ascii: "."), takeLineEnd() else {
      throw .malformed("")
    }
    guard text[5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
    switch text[7] {
    case UInt8(ascii: "1"): isHTTP10 = false
    case UInt8(ascii: "0"): isHTTP10 = true
    default: throw .unsupportedVersion
    }
  }

  // MARK: headers

  mutating func headers() throws(RequestError) {
    var count = 0
    while !(place + 2 == bytes.count) {
      count += 1
      if count > RequestParser.headerCountLimit { throw .headTooLarge }
      let name = try token(until: UInt8(ascii: ":"))
      let value = try value()
      try meaning(of: name.bytes(in: bytes), value)
    }
  }

  private mutating func value() throws(RequestError) -> Span {
    while place < bytes.count, bytes[place] == 0x20 || bytes[place] == 0x09 { place &+= 1 }
    var span = Span(start: place, count: 0)
    while place < bytes.count, bytes[place] >= 0x20 || bytes[place] == 0x09, bytes[place] != 0x7F { place &+= 1 }
    span.count = place - span.start
    guard takeLineEnd() else { throw .malformed("") }
    while span.count > 0, bytes[span.start + span.count - 1] == 0x20 || bytes[span.start + span.count - 1] == 0x09 {
      span.count -= 1
    }
    return span
  }

  /// Names are told apart by their length first: most are none of ours.
  private mutating func meaning(of name: UnsafeRawBufferPointer, _ span: Span) throws(RequestError) {
    switch name.count {
    case 4: if name.matches("host") { hosts += 1 }
    case 6:
      keep(.accept, name, span)
      if name.matches("expect") { try expect(span) }
    case 10: if name.matches("connection") { connection(span.bytes(in: bytes)) }
    case 13:
      keep(.authorization, name, span)
      keep(.cacheControl, name, span)
    case 14:
      keep(.token, name, span)
      if name.matches("content-length") { try length(span.bytes(in: bytes)) }
    case 15:
      keep(.acceptEncoding, name, span)
      keep(.forwardedFor, name, span)
    case 17: if name.matches("transfer-encoding") { try encoding(span.bytes(in: bytes)) }
    case 18:
      keep(.namespace, name, span)
      keep(.partition, name, span)
    default: break
    }
  }

  private mutating func keep(_ header: RequestHeader, _ name: UnsafeRawBufferPointer, _ span: Span) {
    if head[header] == nil, name.matches(header.name) { head[header] = span }
  }

  private mutating func length(_ digits: UnsafeRawBufferPointer) throws(RequestError) {
    guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw .malformed("")
    }
    let value = digits.reduce(0) { $0 &* 10 &+ Int($1 &- 0x30) }
    if let contentLength, contentLength != value { throw .malformed("") }
    contentLength = value
  }

  private mutating func encoding(_ value: UnsafeRawBufferPointer) throws(RequestError) {
    if transferEncoding { throw .malformed("") }
    guard value.matches("chunked") else { throw .unsupportedTransferEncoding }
    transferEncoding = true
  }

  private mutating func expect(_ span: Span) throws(RequestError) {
    guard span.bytes(in: bytes).matches("100-continue") else { throw .unsupportedExpectation }
    head.expectsContinue = true
  }

  /// A list of tokens.
  private mutating func connection(_ value: UnsafeRawBufferPointer) {
    for part in value.split(separator: UInt8(ascii: ",")) {
      let trimmed = UnsafeRawBufferPointer(rebasing: part).trimmed
      if trimmed.matches("close") { closes = true }
      if trimmed.matches("keep-alive") { keepsAlive = true }
    }
  }

  mutating func finish() throws(RequestError) {
    if !isHTTP10, hosts != 1 {
      throw .malformed(hosts == 0 ? "missing required Host header" : "too many Host headers")
    }
    // A request with both lengths is how requests are smuggled past proxies (RFC 9112 section 6.1).
    if transferEncoding {
      if isHTTP10 || contentLength != nil { throw .malformed("") }
      head.body = .chunked
    } else if let contentLength, contentLength > 0 {
      head.body = .length(contentLength)
    }
    if head.body == .none || isHTTP10 { head.expectsContinue = false }
    head.keepAlive = !closes && (!isHTTP10 || keepsAlive)
  }

  // MARK: bytes

  /// A non-empty token (RFC 9110 section 5.6.2), and the byte behind it.
  private mutating func token(until end: UInt8) throws(RequestError) -> Span {
    var span = Span(start: place, count: 0)
    while place < bytes.count, isTokenByte(bytes[place]) { place &+= 1 }
    span.count = place - span.start
    guard span.count > 0, take(end) else { throw .malformed("") }
    return span
  }

  private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7A, 0x41...0x5A, 0x30...0x39: true
    case UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^")...UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  private mutating func takeLineEnd() -> Bool { take(0x0D) && take(0x0A) }
}

extension UnsafeRawBufferPointer {
  /// Whether these bytes are `word` without regard to case. `word` is lower case.
  func matches(_ word: StaticString) -> Bool {
    guard count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<count {
      let byte = self[offset]
      let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
      if lower != word.utf8Start[offset] { return false }
    }
    return true
  }

  /// Without spaces and tabs at both ends.
  var trimmed: UnsafeRawBufferPointer {
    var slice = self[...]
    while let first = slice.first, first == 0x20 || first == 0x09 { slice = slice.dropFirst() }
    while let last = slice.last, last == 0x20 || last == 0x09 { slice = slice.dropLast() }
    return UnsafeRawBufferPointer(rebasing: slice)
  }
}
