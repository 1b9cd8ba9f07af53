import NIOCore
import Server

/// A complete request. Handlers get it as `inout` and cannot keep it: what a waiting answer needs, they take out first, so
/// that a blocked connection does not hold the bytes of its request.
struct Request {
  let method: HTTPMethod
  let head: RequestHead
  /// The bytes of the head, which `head` describes.
  private let bytes: ByteBuffer
  let query: QueryParameters
  /// What follows the route's prefix, decoded: a key, a name, an id. Empty for routes without one.
  let suffix: String
  var body: ByteBuffer
  /// The body of a request that went to disk as it came in; `body` is empty then.
  let spooled: SpoolFile?
  /// The client's IP address as text; "" for unix sockets.
  let clientAddress: String

  init(
    head: RequestHead, bytes: ByteBuffer, query: QueryParameters, suffix: String, body: ByteBuffer,
    spooled: SpoolFile? = nil, clientAddress: String
  ) {
    method = head.method
    self.head = head
    self.bytes = bytes
    self.query = query
    self.suffix = suffix
    self.body = body
    self.spooled = spooled
    self.clientAddress = clientAddress
  }

  /// The path as it was written.
  var path: String { bytes.withUnsafeReadableBytes { head.path.text(in: $0) } }

  /// Path and query as they were written.
  var url: String {
    bytes.withUnsafeReadableBytes { memory in
      head.path.text(in: memory) + (head.hasQuery ? "?" + head.query.text(in: memory) : "")
    }
  }

  /// The value of a header, or nil.
  func header(_ header: RequestHeader) -> String? {
    guard let span = head[header] else { return nil }
    return bytes.withUnsafeReadableBytes { span.text(in: $0) }
  }

  /// The secret that the request is made with: parameter, own header, or bearer token, in this order.
  var token: String? {
    if let token = query["token"], !token.isEmpty { return token }
    if let token = header(.token), !token.isEmpty { return token }
    guard let value = header(.authorization) else { return nil }
    let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    let token = parts[1].drop { $0 == " " }
    return token.isEmpty ? nil : String(token)
  }

  /// Whether the client takes gzip (RFC 9110 section 12.5.3).
  var acceptsGzip: Bool {
    guard let span = head[.acceptEncoding] else { return false }
    return bytes.withUnsafeReadableBytes { AcceptEncoding.allowsGzip(span.bytes(in: $0)) }
  }
}

enum AcceptEncoding {
  /// Whether the list names `gzip` with a weight above 0.
  static func allowsGzip(_ list: UnsafeRawBufferPointer) -> Bool {
    for item in list.split(separator: UInt8(ascii: ",")) {
      let parts = item.split(separator: UInt8(ascii: ";"))
      guard let coding = parts.first, UnsafeRawBufferPointer(rebasing: coding).trimmed.matches("gzip") else { continue }
      let weight = parts.dropFirst().lazy
        .map { String(decoding: UnsafeRawBufferPointer(rebasing: $0).trimmed, as: UTF8.self).lowercased() }
        .first { $0.hasPrefix("q=") }
      guard let weight else { return true }
      return (Double(weight.dropFirst(2)) ?? 0) > 0
    }
    return false
  }
}
