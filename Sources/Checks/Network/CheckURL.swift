/// The URL of an HTTP check.
struct CheckURL: Sendable, Equatable {
  var isTLS: Bool
  /// `user:password`, decoded; nil when the URL has none.
  var credentials: String?
  var place: HostPort
  /// Host and port as written, for the `Host` field.
  var authority: String
  /// Path and query as sent.
  var target: String

  init(_ text: String) throws(NetworkFailure) {
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw NetworkFailure("parse \"\(text)\": net/url: invalid control character in URL")
    }
    guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
      throw NetworkFailure("unsupported protocol scheme \"\"")
    }
    let scheme = text[..<colon].lowercased()
    guard scheme == "http" || scheme == "https" else {
      throw NetworkFailure("unsupported protocol scheme \"\(scheme)\"")
    }
    isTLS = scheme == "https"
    let rest = text[colon...].dropFirst(3).prefix { $0 != "#" }
    var host = rest.prefix { $0 != "/" && $0 != "?" }
    target = Self.escaped(rest[host.endIndex...])
    if !target.hasPrefix("/") { target = "/" + target }
    credentials = nil
    if let at = host.lastIndex(of: "@") {
      credentials = Self.unescaped(host[..<at])
      host = host[host.index(after: at)...]
    }
    authority = String(host)
    guard !host.isEmpty else { throw NetworkFailure("http: no Host in request URL") }
    guard host.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
      throw NetworkFailure("parse \"\(text)\": invalid character in host name")
    }
    if host.hasSuffix(":") { host = host.dropLast() }
    let hasPort = !host.hasSuffix("]") && host.contains(":")
    place = try HostPort(hasPort ? String(host) : "\(host):\(isTLS ? 443 : 80)")
  }

  /// What a `Location` field of an answer to this URL points to (RFC 3986, section 5.2).
  func following(_ location: String) throws(NetworkFailure) -> CheckURL {
    let scheme = isTLS ? "https" : "http"
    if let colon = location.firstIndex(of: ":"), location[colon...].hasPrefix("://"), colon > location.startIndex,
      location[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
    {
      return try CheckURL(location)
    }
    if location.hasPrefix("//") { return try CheckURL("\(scheme):\(location)") }
    let path = target.prefix { $0 != "?" }
    let base = "\(scheme)://\(authority)"
    var next: CheckURL
    if location.hasPrefix("/") {
      next = try CheckURL(base + location)
    } else if location.isEmpty || location.hasPrefix("?") || location.hasPrefix("#") {
      next = try CheckURL(base + path + location)
    } else {
      let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
      next = try CheckURL(base + folder + location)
    }
    next.credentials = credentials
    next.target = Self.withoutDots(next.target)
    return next
  }

  /// Resolves `.` and `..` in a path.
  private static func withoutDots(_ target: String) -> String {
    let path = target.prefix { $0 != "?" }
    guard path.contains("/.") else { return target }
    var parts: [Substring] = []
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    for (offset, part) in segments.enumerated() {
      let isLast = offset == segments.count - 1
      if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(part) }
      if isLast && (part == "." || part == "..") { parts.append("") }
    }
    return "/" + parts.joined(separator: "/") + target[path.endIndex...]
  }

  /// Bytes that a request line cannot carry, percent-encoded.
  private static func escaped(_ text: Substring) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if byte > 0x20 && byte < 0x7f && !"\"<>".utf8.contains(byte) {
        bytes.append(byte)
      } else {
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2, let hex = String(rest.prefix(2)), hex.first != "+",
        let value = UInt8(hex, radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
