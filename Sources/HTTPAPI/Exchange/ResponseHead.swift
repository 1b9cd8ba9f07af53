/// Where an answer of the servers comes from, as the `X-Consul-…` headers tell it.
struct QueryMeta: Equatable {
  enum Consistency: Equatable { case leader, consistent, stale }

  /// Never 0: clients would take it as "do not wait".
  var index: UInt64 = 1
  /// Milliseconds.
  var lastContact: UInt64 = 0
  var knownLeader = false
  /// How the read was made, for the endpoints that tell it.
  var consistency: Consistency?
  /// Whether the answer came out of a stream of changes instead of a query.
  var isStreamed = false
}

/// Everything of a response but its body.
struct ResponseHead {
  enum ContentType: Equatable {
    case none, json, text, plain, html
    case other(String)
  }

  var status = HTTPStatus.ok
  var contentType = ContentType.json
  var meta: QueryMeta?
  /// Whether a list leaves out what the token may not see.
  var isFiltered = false
  /// Headers that only this answer has.
  var headers: [(name: String, value: String)] = []
  /// Whether an endpoint of the API answers: then caches and clients get the headers that go with all of those.
  var isFromAPI = true
  /// Whether the configured headers are added.
  var hasConfiguredHeaders = true

  init(_ status: HTTPStatus = .ok, _ contentType: ContentType = .json, meta: QueryMeta? = nil) {
    self.status = status
    self.contentType = contentType
    self.meta = meta
  }

  /// Writes the status line and all headers, and the empty line behind them.
  func write(
    to out: inout ByteWriter, settings: HTTPSettings, date: [UInt8], contentLength: Int?, isCompressed: Bool,
    closes: Bool
  ) {
    if status == .ok {
      out.write("HTTP/1.1 200 OK\r\n")
    } else {
      out.write("HTTP/1.1 ")
      out.write(decimal: UInt64(status.code))
      out.write(0x20)
      out.write(status.reason)
      out.write("\r\n")
    }
    switch contentType {
    case .none: break
    case .json: out.write("Content-Type: application/json\r\n")
    case .text: out.write("Content-Type: text/plain; charset=utf-8\r\n")
    case .plain: out.write("Content-Type: text/plain\r\n")
    case .html: out.write("Content-Type: text/html; charset=utf-8\r\n")
    case .other(let name): Self.write("Content-Type", name, to: &out)
    }
    if isFromAPI {
      out.write("Vary: Accept-Encoding\r\nX-Consul-Default-Acl-Policy: ")
      out.write(settings.defaultPolicy)
      out.write("\r\n")
    }
    if let meta { Self.write(meta, to: &out) }
    if isFiltered { out.write("X-Consul-Results-Filtered-By-Acls: true\r\n") }
    if isCompressed { out.write("Content-Encoding: gzip\r\n") }
    if hasConfiguredHeaders {
      for header in settings.responseHeaders { Self.write(header.name, header.value, to: &out) }
    }
    for header in headers { Self.write(header.name, header.value, to: &out) }
    if closes { out.write("Connection: close\r\n") }
    out.write("Date: ")
    date.withUnsafeBytes { out.write($0) }
    if let contentLength {
      out.write("\r\nContent-Length: ")
      out.write(decimal: UInt64(contentLength))
    } else {
      out.write("\r\nTransfer-Encoding: chunked")
    }
    out.write("\r\n\r\n")
  }

  private static func write(_ meta: QueryMeta, to out: inout ByteWriter) {
    out.write("X-Consul-Index: ")
    out.write(decimal: max(meta.index, 1))
    out.write("\r\nX-Consul-Knownleader: ")
    out.write(meta.knownLeader ? "true" : "false")
    out.write("\r\nX-Consul-Lastcontact: ")
    out.write(decimal: meta.lastContact)
    out.write("\r\nX-Consul-Query-Backend: ")
    out.write(meta.isStreamed ? "streaming\r\n" : "blocking-query\r\n")
    switch meta.consistency {
    case nil: break
    case .leader: out.write("X-Consul-Effective-Consistency: leader\r\n")
    case .consistent: out.write("X-Consul-Effective-Consistency: consistent\r\n")
    case .stale: out.write("X-Consul-Effective-Consistency: stale\r\n")
    }
  }

  /// A header whose value came from outside: control characters would let it end the line.
  private static func write(_ name: String, _ value: String, to out: inout ByteWriter) {
    out.write(name)
    out.write(": ")
    for byte in value.utf8 { out.write(byte < 0x20 && byte != 0x09 || byte == 0x7F ? 0x20 : byte) }
    out.write("\r\n")
  }
}
