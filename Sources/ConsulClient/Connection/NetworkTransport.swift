import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TransportSecurity

/// HTTP/1.1 over TCP, TLS or a Unix domain socket.
struct NetworkTransport: Transport {
  /// An answer above this size (in bytes) is refused.
  private static let bodySizeMax = 1 << 30
  /// Stands for no limit: longer than any blocking query may take.
  private static let patience = TimeAmount.hours(24)

  private let client: HTTPClient
  private let configuration: ClientConfiguration
  private let credentials: HTTPHeaders
  private let nameCheck: ServerNameCheck

  init(_ configuration: ClientConfiguration) throws(ClientError) {
    var settings = HTTPClient.Configuration()
    settings.httpVersion = .http1Only
    settings.redirectConfiguration = .disallow
    settings.timeout = .init(connect: .seconds(30))
    // A refused connection is news for the caller now, not after several attempts.
    settings.connectionPool.retryConnectionEstablishment = false
    settings.tlsConfiguration = try configuration.tls.load()
    let check = ServerNameCheck(expected: configuration.expectedServerName)
    if configuration.address.isSecure, configuration.tls.verifies {
      // Called for every connection, after its handshake and before anything is sent.
      settings.http1_1ConnectionDebugInitializer = { channel in check.check(channel) }
    }
    // The name that the server is asked for is that of the URL; the connection goes to the real host.
    if let name = configuration.tls.serverName, case .host(let host, _) = configuration.address.endpoint {
      settings.dnsOverride = [name: host]
    }
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    self.configuration = configuration
    nameCheck = check
    var credentials = HTTPHeaders()
    if let user = configuration.credentials {
      var signed = HTTPClientRequest(url: "http://localhost")
      signed.setBasicAuth(username: user.user, password: user.password)
      credentials = signed.headers
    }
    self.credentials = credentials
  }

  func send(_ request: WireRequest) async throws -> APIResponse {
    let response = try await execute(request)
    let body = try await response.body.collect(upTo: Self.bodySizeMax)
    return Self.head(response, body: Array(body.readableBytesView))
  }

  func stream(_ request: WireRequest) async throws -> (head: APIResponse, body: BodyStream) {
    let response = try await execute(request)
    let body = BodyStream { continuation in
      let reading = Task {
        do {
          for try await piece in response.body { continuation.yield(Array(piece.readableBytesView)) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in reading.cancel() }
    }
    return (Self.head(response, body: []), body)
  }

  func shutdown() async {
    // Fails only if it was shut down before.
    try? await client.shutdown()
  }

  private func execute(_ request: WireRequest) async throws -> HTTPClientResponse {
    var sent = HTTPClientRequest(url: target(of: request))
    sent.method = HTTPMethod(rawValue: request.method)
    sent.headers = credentials
    for (name, value) in request.headers { sent.headers.add(name: name, value: value) }
    sent.headers.replaceOrAdd(name: "Host", value: configuration.address.authority)
    if let body = request.body { sent.body = .bytes(ByteBuffer(bytes: body)) }
    let patience = request.timeout.map { TimeAmount.milliseconds($0.wholeMilliseconds) } ?? Self.patience
    do {
      return try await client.execute(sent, timeout: patience)
    } catch {
      guard "\(error)".contains("CERTIFICATE_VERIFY_FAILED"),
        case .host(let host, let port) = configuration.address.endpoint,
        let reason = await nameCheck.reason(at: host, port: port)
      else { throw error }
      throw CertificateRefused(reason: reason)
    }
  }

  /// The URL that the connection is made for, which may differ from the one that is shown.
  private func target(of request: WireRequest) -> String {
    let address = configuration.address
    switch address.endpoint {
    case .unixSocket(let path):
      let host = PercentEncoding.query(path).replacingPlus
      return "\(address.isSecure ? "https" : "http")+unix://\(host)\(request.path)"
    case .host(_, let port):
      guard address.isSecure, let name = configuration.tls.serverName else { return request.url }
      return "https://\(name):\(port)\(request.path)"
    }
  }

  private static func head(_ response: HTTPClientResponse, body: [UInt8]) -> APIResponse {
    APIResponse(status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) }, body: body)
  }

  // MARK: - Texts

  func cause(of error: any Error) -> String {
    switch error {
    case let error as CertificateRefused: return error.reason
    case let error as IOError: return dial + systemErrorText(error.errnoCode)
    case let error as NIOConnectionError:
      if let failure = error.connectionErrors.first { return cause(of: failure.error) }
      if error.dnsAError != nil || error.dnsAAAAError != nil { return "dial tcp: lookup \(error.host): no such host" }
      return dial + "unreachable"
    case ChannelError.connectTimeout: return "dial tcp \(place): i/o timeout"
    case let error as HTTPClientError:
      switch error {
      case .connectTimeout: return "dial tcp \(place): i/o timeout"
      case .deadlineExceeded, .readTimeout: return "request timed out"
      case .remoteConnectionClosed: return "EOF"
      default: return error.shortDescription
      }
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: return tlsCause(of: error)
    default: return "\(error)"
    }
  }

  private var place: String {
    switch configuration.address.endpoint {
    case .host: configuration.address.authority
    case .unixSocket(let path): path
    }
  }

  private var dial: String {
    if case .unixSocket = configuration.address.endpoint { return "dial unix \(place): connect: " }
    return "dial tcp \(place): connect: "
  }

  private func tlsCause(of error: any Error) -> String {
    let text = "\(error)"
    if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
      return "http: server gave HTTP response to HTTPS client"
    }
    return HandshakeFailure(expected: nameCheck.expected, now: 0).describe(error, certificate: nil)
  }
}

extension String {
  /// With spaces as they are encoded in a host.
  fileprivate var replacingPlus: String {
    split(separator: "+", omittingEmptySubsequences: false).joined(separator: "%20")
  }
}
