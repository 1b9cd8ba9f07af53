import Model
import NIOCore
import NIOHTTP1

/// Asks a web server and judges the status of its answer.
struct HTTPProbe: Probe {
  static let redirectLimit = 10
  static let userAgent = "Consul Health Check"

  /// As the user wrote it.
  let url: String
  /// Upper case or as the user wrote it.
  let method: String
  let headers: [String: [String]]
  let body: String
  let followsRedirects: Bool
  let tls: TLSWish
  let timeout: GoDuration
  let outputLimit: Int
  let dialer: Dialer

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    let attempt = Attempt(on: loop, timeout: timeout, finish)
    let exchange = HTTPExchange(dialer: dialer, attempt: attempt, outputLimit: outputLimit)
    attempt.limit {
      if let reply = exchange.progress.current { return judge(reply) }
      return failure("context deadline exceeded (Client.Timeout exceeded while awaiting headers)", url)
    }
    do {
      try ask(Request(method: method, url: try CheckURL(url), body: body), text: url, hop: 0, exchange)
    } catch {
      attempt.finish(failure(error.text, url))
    }
    return attempt
  }

  /// What one hop asks for.
  private struct Request {
    var method: String
    var url: CheckURL
    var body: String
    /// Nil takes the user's `Host`, or what the URL says.
    var keepsHost = true
    var keepsCredentials = true
  }

  private func ask(_ request: Request, text: String, hop: Int, _ exchange: HTTPExchange) throws(NetworkFailure) {
    let question = HTTPQuestion(
      method: request.method, target: request.url.target, headers: try fields(request), body: Array(request.body.utf8))
    exchange.perform(question, .tcp(request.url.place), tls: request.url.isTLS ? tls : nil) { result in
      let reply: HTTPReply
      switch result {
      case .failure(let error): return exchange.attempt.finish(failure(error.text, text))
      case .success(let success): reply = success
      }
      guard followsRedirects, let next = redirect(request, reply) else { return exchange.attempt.finish(judge(reply)) }
      guard hop + 1 < Self.redirectLimit else {
        return exchange.attempt.finish(failure("stopped after \(Self.redirectLimit) redirects", next.location))
      }
      do {
        let request = try next.request.get()
        exchange.progress.begin(nil)
        try ask(request, text: next.location, hop: hop + 1, exchange)
      } catch {
        exchange.attempt.finish(failure((error as? NetworkFailure)?.text ?? "\(error)", next.location))
      }
    }
  }

  private func judge(_ reply: HTTPReply) -> ProbeResult {
    ProbeResult(
      status: CheckStatus(httpStatus: reply.status),
      output: "HTTP \(method) \(url): \(reply.statusText) Output: \(reply.body.text)")
  }

  private func failure(_ reason: String, _ url: String) -> ProbeResult {
    .critical("\(method.prefix(1).uppercased())\(method.dropFirst().lowercased()) \"\(url)\": \(reason)")
  }

  /// Where an answer sends the client, and how it has to ask there (RFC 9110, section 15.4); nil if it is no redirection.
  private func redirect(_ request: Request, _ reply: HTTPReply) -> (
    location: String, request: Result<Request, NetworkFailure>
  )? {
    guard [301, 302, 303, 307, 308].contains(reply.status), let location = reply.headers.first(name: "Location"),
      !location.isEmpty
    else { return nil }
    do throws(NetworkFailure) {
      var next = request
      next.url = try request.url.following(location)
      if reply.status < 307 {
        if request.method != "HEAD" { next.method = "GET" }
        next.body = ""
      }
      let isSameHost = next.url.place.host == request.url.place.host
      next.keepsHost = request.keepsHost && isSameHost
      next.keepsCredentials = request.keepsCredentials && isSameHost
      return (location, .success(next))
    } catch {
      return (location, .failure(error))
    }
  }

  private func fields(_ request: Request) throws(NetworkFailure) -> HTTPHeaders {
    guard !request.method.isEmpty, request.method.utf8.allSatisfy(isTokenByte) else {
      throw NetworkFailure("net/http: invalid method \"\(request.method)\"")
    }
    var fields = HTTPHeaders()
    var host = request.url.authority
    for (name, values) in headers.sorted(by: { $0.key < $1.key }) {
      guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
        throw NetworkFailure("net/http: invalid header field name \"\(name)\"")
      }
      guard values.allSatisfy({ $0.utf8.allSatisfy { $0 == 9 || ($0 >= 0x20 && $0 != 0x7f) } }) else {
        throw NetworkFailure("net/http: invalid header field value for \"\(name)\"")
      }
      switch name.lowercased() {
      case "host": if request.keepsHost, let first = values.first, !first.isEmpty { host = first }
      case "content-length", "transfer-encoding", "connection": continue
      case "authorization" where !request.keepsCredentials, "cookie" where !request.keepsCredentials: continue
      default: for value in values { fields.add(name: name, value: value) }
      }
    }
    func setDefault(_ name: String, _ value: String) {
      if !fields.contains(name: name) { fields.add(name: name, value: value) }
    }
    setDefault("User-Agent", Self.userAgent)
    setDefault("Accept", "text/plain, text/*, */*")
    setDefault("Accept-Encoding", "gzip")
    if let credentials = request.url.credentials, request.keepsCredentials {
      setDefault("Authorization", "Basic \(base64(Array(credentials.utf8)))")
    }
    fields.add(name: "Host", value: host)
    fields.add(name: "Connection", value: "close")
    if !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) {
      fields.add(name: "Content-Length", value: String(request.body.utf8.count))
    }
    return fields
  }
}

/// Whether a byte may be part of a method or field name (RFC 9110, section 5.6.2).
private func isTokenByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 48...57, 65...90, 97...122: true  // 0-9, A-Z, a-z
  default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
  }
}

/// RFC 4648, section 4.
func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
    for place in 0..<4 {
      text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}
