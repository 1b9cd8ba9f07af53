/// A part of a request head, as offsets into its bytes.
struct Span: Equatable, Sendable {
  var start = 0
  var count = 0

  func bytes(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: head[start..<start + count])
  }

  func text(in head: UnsafeRawBufferPointer) -> String { String(decoding: bytes(in: head), as: UTF8.self) }
}

/// The headers that this server looks at; all others are checked for form and skipped.
enum RequestHeader: Int, CaseIterable, Sendable {
  case token, authorization, namespace, partition, cacheControl, acceptEncoding, forwardedFor, accept

  var name: StaticString {
    switch self {
    case .token: "x-consul-token"
    case .authorization: "authorization"
    case .namespace: "x-consul-namespace"
    case .partition: "x-consul-partition"
    case .cacheControl: "cache-control"
    case .acceptEncoding: "accept-encoding"
    case .forwardedFor: "x-forwarded-for"
    case .accept: "accept"
    }
  }
}

/// What the first lines of a request say (RFC 9112 sections 3 to 6).
struct RequestHead: Equatable, Sendable {
  enum Body: Equatable, Sendable {
    case none
    /// More than 0 bytes.
    case length(Int)
    case chunked
  }

  var method = HTTPMethod.get
  /// The path as written, without the query.
  var path = Span()
  /// What follows the first `?`; empty without one.
  var query = Span()
  var hasQuery = false
  var body = Body.none
  /// Whether the connection stays open after the answer.
  var keepAlive = true
  /// Whether the client waits for `100 Continue` before it sends the body.
  var expectsContinue = false
  /// The first value of each header in `RequestHeader`, by raw value; nil where the request has none.
  private var values: (Span?, Span?, Span?, Span?, Span?, Span?, Span?, Span?) = (
    nil, nil, nil, nil, nil, nil, nil, nil
  )

  subscript(header: RequestHeader) -> Span? {
    get {
      switch header {
      case .token: values.0
      case .authorization: values.1
      case .namespace: values.2
      case .partition: values.3
      case .cacheControl: values.4
      case .acceptEncoding: values.5
      case .forwardedFor: values.6
      case .accept: values.7
      }
    }
    set {
      switch header {
      case .token: values.0 = newValue
      case .authorization: values.1 = newValue
      case .namespace: values.2 = newValue
      case .partition: values.3 = newValue
      case .cacheControl: values.4 = newValue
      case .acceptEncoding: values.5 = newValue
      case .forwardedFor: values.6 = newValue
      case .accept: values.7 = newValue
      }
    }
  }

  static func == (a: RequestHead, b: RequestHead) -> Bool {
    a.method == b.method && a.path == b.path && a.query == b.query && a.hasQuery == b.hasQuery && a.body == b.body
      && a.keepAlive == b.keepAlive && a.expectsContinue == b.expectsContinue
      && RequestHeader.allCases.allSatisfy { a[$0] == b[$0] }
  }
}

/// Why bytes are not a request that this server understands.
enum RequestError: Error, Equatable {
  case malformed(String)
  /// The first lines are longer than the limit.
  case headTooLarge
  case unsupportedTransferEncoding
  case unsupportedExpectation
  case unsupportedVersion
  /// The rest of the request did not come.
  case timeout

  var status: HTTPStatus {
    switch self {
    case .malformed: .badRequest
    case .headTooLarge: .headerFieldsTooLarge
    case .unsupportedTransferEncoding: .notImplemented
    case .unsupportedExpectation: .expectationFailed
    case .unsupportedVersion: .versionNotSupported
    case .timeout: .requestTimeout
    }
  }

  /// The body of the answer, as Go's server words it.
  var text: String {
    let phrase = "\(status.code) \(status.reason)"
    if case .malformed(let reason) = self, !reason.isEmpty { return "\(phrase): \(reason)" }
    return phrase
  }
}
