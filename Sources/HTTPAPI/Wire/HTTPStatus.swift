/// A status code with its reason phrase (RFC 9110 section 15).
struct HTTPStatus: Equatable, Sendable {
  let code: UInt16

  static let ok = HTTPStatus(code: 200)
  static let movedPermanently = HTTPStatus(code: 301)
  static let temporaryRedirect = HTTPStatus(code: 307)
  static let badRequest = HTTPStatus(code: 400)
  static let unauthorized = HTTPStatus(code: 401)
  static let forbidden = HTTPStatus(code: 403)
  static let notFound = HTTPStatus(code: 404)
  static let methodNotAllowed = HTTPStatus(code: 405)
  static let requestTimeout = HTTPStatus(code: 408)
  static let conflict = HTTPStatus(code: 409)
  static let contentTooLarge = HTTPStatus(code: 413)
  static let expectationFailed = HTTPStatus(code: 417)
  static let tooManyRequests = HTTPStatus(code: 429)
  static let headerFieldsTooLarge = HTTPStatus(code: 431)
  static let internalServerError = HTTPStatus(code: 500)
  static let notImplemented = HTTPStatus(code: 501)
  static let serviceUnavailable = HTTPStatus(code: 503)
  static let versionNotSupported = HTTPStatus(code: 505)

  var reason: StaticString {
    switch code {
    case 200: "OK"
    case 301: "Moved Permanently"
    case 307: "Temporary Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 412: "Precondition Failed"
    case 413: "Request Entity Too Large"
    case 417: "Expectation Failed"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: "Status"
    }
  }
}
