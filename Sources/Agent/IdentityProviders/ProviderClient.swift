import AsyncHTTPClient
import Authentication
import Model
import NIOCore
import NIOPosix
import NIOSSL
import TransportSecurity

#if canImport(Glibc)
  import Glibc
#endif

/// Asks identity providers over HTTP. Answers are limited in size and time; redirects are not followed, so that a request goes
/// where the settings of the auth method say and nowhere else.
public struct ProviderClient: ProviderTransport {
  /// For providers whose certificates the machine's authorities signed. Lives as long as the process.
  private static let system = HTTPClient(
    eventLoopGroupProvider: .singleton, configuration: configuration(.makeClientConfiguration()))

  public init() {}

  private static func configuration(_ tls: TLSConfiguration) -> HTTPClient.Configuration {
    var settings = HTTPClient.Configuration()
    settings.tlsConfiguration = tls
    settings.redirectConfiguration = .disallow
    settings.timeout = .init(connect: .seconds(10), read: .seconds(15))
    settings.decompression = .disabled
    // A refused connection is news for whoever logs in now, not after several attempts.
    settings.connectionPool.retryConnectionEstablishment = false
    return settings
  }

  public func perform(
    _ request: OutboundRequest, _ completion: @escaping @Sendable (Result<OutboundResponse, OutboundFailure>) -> Void
  ) {
    Task { completion(await Self.answer(request)) }
  }

  private static func answer(_ request: OutboundRequest) async -> Result<OutboundResponse, OutboundFailure> {
    guard case .authorities(let pem) = request.trust else { return await ask(request, through: system) }
    let client: HTTPClient
    do {
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
      client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration(tls))
    } catch {
      return .failure(OutboundFailure("tls: \(error)"))
    }
    let result = await ask(request, through: client)
    // Fails only if it was shut down before.
    try? await client.shutdown()
    return result
  }

  private static func ask(
    _ request: OutboundRequest, through client: HTTPClient
  ) async -> Result<OutboundResponse, OutboundFailure> {
    var sent = HTTPClientRequest(url: request.url)
    sent.method = request.method == .get ? .GET : .POST
    for (name, value) in request.headers { sent.headers.replaceOrAdd(name: name, value: value) }
    if request.method == .post { sent.body = .bytes(ByteBuffer(bytes: request.body)) }
    do {
      let response = try await client.execute(sent, timeout: .nanoseconds(request.patience.nanoseconds))
      let body = try await response.body.collect(upTo: request.answerLimit)
      return .success(
        OutboundResponse(
          status: Int(response.status.code), reason: response.status.reasonPhrase, body: Array(body.readableBytesView)))
    } catch {
      return .failure(OutboundFailure(ProviderFailure(request.url).describe(error)))
    }
  }
}

/// Says why a provider could not be asked, in the words that users know.
struct ProviderFailure {
  let host: String
  let port: Int

  init(_ url: String) {
    let isSecure = url.hasPrefix("https://")
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    let authority = rest.prefix { !["/", "?", "#"].contains($0) }
    let place = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority
    let colon = place.lastIndex(of: ":").flatMap { colon in place[colon...].contains("]") ? nil : colon }
    host = String(place[..<(colon ?? place.endIndex)])
    port = colon.flatMap { Int(place[place.index(after: $0)...]) } ?? (isSecure ? 443 : 80)
  }

  func describe(_ error: any Error) -> String {
    switch error {
    case let error as IOError: return "dial tcp \(host):\(port): connect: \(text(error.errnoCode))"
    case let error as NIOConnectionError:
      if let failure = error.connectionErrors.first { return describe(failure.error) }
      if error.dnsAError != nil || error.dnsAAAAError != nil { return "dial tcp: lookup \(host): no such host" }
      return "dial tcp \(host):\(port): unreachable"
    case ChannelError.connectTimeout: return "dial tcp \(host):\(port): i/o timeout"
    case is NIOTooManyBytesError: return "the answer is too large"
    case let error as HTTPClientError:
      switch error {
      case .connectTimeout: return "dial tcp \(host):\(port): i/o timeout"
      case .deadlineExceeded, .readTimeout, .getConnectionFromPoolTimeout: return "request timed out"
      case .remoteConnectionClosed: return "EOF"
      default: return error.shortDescription
      }
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
      return HandshakeFailure(expected: host, now: Int(clamping: time(nil))).describe(error, certificate: nil)
    default: return "\(error)"
    }
  }

  private func text(_ code: CInt) -> String { String(cString: strerror(code)).lowercased() }
}
