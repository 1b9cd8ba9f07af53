/// The methods that routes use, and the others by name.
enum HTTPMethod: Equatable, Sendable {
  case get, put, post, delete, head, options, patch
  case other(String)

  init(_ bytes: UnsafeRawBufferPointer) {
    switch bytes.count {
    case 3 where bytes.elementsEqual("GET".utf8): self = .get
    case 3 where bytes.elementsEqual("PUT".utf8): self = .put
    case 4 where bytes.elementsEqual("POST".utf8): self = .post
    case 4 where bytes.elementsEqual("HEAD".utf8): self = .head
    case 5 where bytes.elementsEqual("PATCH".utf8): self = .patch
    case 6 where bytes.elementsEqual("DELETE".utf8): self = .delete
    case 7 where bytes.elementsEqual("OPTIONS".utf8): self = .options
    default: self = .other(String(decoding: bytes, as: UTF8.self))
    }
  }

  var name: String {
    switch self {
    case .get: "GET"
    case .put: "PUT"
    case .post: "POST"
    case .delete: "DELETE"
    case .head: "HEAD"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    case .other(let name): name
    }
  }

  /// Whether the method only looks (RFC 9110 section 9.2.1).
  var isSafe: Bool { self == .get || self == .head || self == .options }
}
