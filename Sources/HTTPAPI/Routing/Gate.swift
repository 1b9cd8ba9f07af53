import AccessControl
import Model
import NIOCore
import Server

/// An answer that needs no endpoint.
struct FixedAnswer {
  var head: ResponseHead
  var body: String

  init(head: ResponseHead, body: String) {
    self.head = head
    self.body = body
  }

  init(_ error: HTTPError) {
    var head = ResponseHead(error.status, .text, meta: error.isFromRead ? QueryMeta() : nil)
    if let denied = error.denied { head.headers.append(("X-Consul-Denied", denied)) }
    self.init(head: head, body: error.text)
  }
}

/// A request that was let in and still lacks its body.
struct PendingRequest {
  let head: RequestHead
  let bytes: ByteBuffer
  let query: QueryParameters
  let suffix: String
  let clientAddress: String
  let endpoint: Int
  let route: Route
  let bodyLimit: Int
}

/// Decides, for each request, whether and where it goes in: the rules that hold for all endpoints alike.
final class Gate: Sendable {
  enum Decision {
    case handle(PendingRequest)
    case answer(FixedAnswer)
    /// The path is none: the connection cannot be trusted to be understood.
    case malformed
  }

  let api: API
  let router: Router
  /// By the index of the endpoint.
  private let calls: [CallCounters?]

  init(api: API, router: Router = Router(Endpoints.all)) {
    self.api = api
    self.router = router
    calls = router.endpoints.map { CallCounters($0, node: api.control.nodeName) }
  }

  // MARK: before the body

  func decide(_ head: RequestHead, _ bytes: ByteBuffer, clientAddress: String) -> Decision {
    bytes.withUnsafeReadableBytes { memory in
      let path = head.path.bytes(in: memory)
      let shape = PathShape(path)
      if shape.isMalformed { return .malformed }
      if let refusal = refusal(of: path, shape) { return .answer(refusal) }
      if shape.needsCleaning {
        let cleaned = RequestPath.clean(String(decoding: path, as: UTF8.self))
        return .answer(redirect(head, memory, to: cleaned))
      }
      switch router.match(path) {
      case .endpoint(let index, let suffix):
        let rest = UnsafeRawBufferPointer(rebasing: path[suffix...])
        return admit(head, bytes, memory, index, path: path, suffix: rest, clientAddress: clientAddress)
      case .needsSlash:
        return .answer(redirect(head, memory, to: String(decoding: path, as: UTF8.self) + "/"))
      case .none: return .answer(StartPage(api).answer(head, path: String(decoding: path, as: UTF8.self), memory))
      }
    }
  }

  /// Paths that no endpoint can be asked with.
  private func refusal(of path: UnsafeRawBufferPointer, _ shape: PathShape) -> FixedAnswer? {
    if !shape.needsDecoding { return nil }
    var head = ResponseHead(.badRequest, .none)
    head.isFromAPI = false
    head.hasConfiguredHeaders = false
    guard let text = PercentEncoding.decode(path) else {
      head.contentType = .text
      return FixedAnswer(head: head, body: "The path is not UTF-8")
    }
    if api.settings.allowsUnprintablePaths || RequestPath.isPrintable(text) { return nil }
    return FixedAnswer(head: head, body: "")
  }

  private func redirect(_ head: RequestHead, _ memory: UnsafeRawBufferPointer, to path: String) -> FixedAnswer {
    Redirect.answer(
      head.method, .temporaryRedirect, to: path + (head.hasQuery ? "?" + head.query.text(in: memory) : ""))
  }

  private func admit(
    _ head: RequestHead, _ bytes: ByteBuffer, _ memory: UnsafeRawBufferPointer, _ index: Int,
    path: UnsafeRawBufferPointer, suffix: UnsafeRawBufferPointer, clientAddress: String
  ) -> Decision {
    let endpoint = router.endpoints[index]
    let settings = api.settings
    if !settings.blockedEndpoints.isEmpty, isBlocked(path) {
      return .answer(FixedAnswer(HTTPError(.forbidden, "Endpoint is blocked by agent configuration")))
    }
    guard let query = head.hasQuery ? QueryParameters(head.query.bytes(in: memory)) : QueryParameters() else {
      return .answer(FixedAnswer(.server("")))
    }
    guard let route = endpoint.route(head.method) else {
      return .answer(head.method == .options ? allowed(endpoint) : notAllowed(head.method, endpoint))
    }
    if !head.method.isSafe, !settings.allowWriteFrom.isEmpty,
      !isAllowedToWrite(clientAddress)
    {
      return .answer(FixedAnswer(HTTPError(.forbidden, "Access is restricted")))
    }
    if !endpoint.traits.contains(.ignoresNamespace), let refusal = Namespaces.refusal(query, head, memory) {
      return .answer(FixedAnswer(refusal))
    }
    let limit = bodyLimit(route)
    if case .length(let length) = head.body, length > limit {
      return .answer(FixedAnswer(tooLargeError(route, size: length)))
    }
    return .handle(
      PendingRequest(
        head: head, bytes: bytes, query: query, suffix: PercentEncoding.decode(suffix) ?? "",
        clientAddress: clientAddress, endpoint: index, route: route, bodyLimit: limit))
  }

  private func isAllowedToWrite(_ client: String) -> Bool {
    guard let address = IPAddress(client) else { return false }
    return api.settings.allowWriteFrom.contains { $0.contains(address) }
  }

  private func isBlocked(_ path: UnsafeRawBufferPointer) -> Bool {
    let text = PercentEncoding.decode(path) ?? ""
    return api.settings.blockedEndpoints.contains { text.hasPrefix($0) }
  }

  private func allowed(_ endpoint: Endpoint) -> FixedAnswer {
    var head = ResponseHead()
    head.headers = [("Allow", endpoint.allow)]
    return FixedAnswer(head: head, body: "")
  }

  private func notAllowed(_ method: HTTPMethod, _ endpoint: Endpoint) -> FixedAnswer {
    var head = ResponseHead(.methodNotAllowed, .text)
    head.headers = [("Allow", endpoint.allow)]
    return FixedAnswer(head: head, body: "method \(method.name) not allowed")
  }

  private func bodyLimit(_ route: Route) -> Int {
    switch route.bodyLimit {
    case .standard: api.settings.bodyLimit
    case .value: api.settings.kvValueLimit
    case .transaction: api.settings.transactionLimit
    case .snapshot: api.settings.snapshotLimit
    }
  }

  private func tooLargeError(_ route: Route, size: Int) -> HTTPError {
    let option: String? =
      switch route.bodyLimit {
      case .standard, .snapshot: nil
      case .value: "kv_max_value_size"
      case .transaction: "txn_max_req_len"
      }
    let text = "Request body(\(size) bytes) too large, max size: \(bodyLimit(route)) bytes."
    guard let option else { return HTTPError(.contentTooLarge, text) }
    return HTTPError(
      .contentTooLarge, text + " See https://developer.hashicorp.com/docs/agent/config/config-files#\(option).")
  }

  func tooLarge(_ request: PendingRequest, size: Int) -> FixedAnswer {
    FixedAnswer(tooLargeError(request.route, size: size))
  }

  // MARK: with the body

  func exchange(
    for pending: PendingRequest, _ request: borrowing Request, on connection: Connection
  ) throws(HTTPError) -> Exchange {
    let token = request.token ?? api.settings.defaultToken()
    let asked =
      switch pending.route.authorisation {
      case .open, .requires: true
      case .asks, .servers: false
      }
    var serversAsk = false
    if case .servers = pending.route.authorisation { serversAsk = true }
    return Exchange(
      connection: connection, api: api, loop: connection.eventLoop, request: request, token: token,
      rights: try rights(of: token, for: pending), rightsWereAsked: asked, serversAsk: serversAsk,
      endpoint: router.endpoints[pending.endpoint], duration: pending.route.duration, calls: calls[pending.endpoint])
  }

  /// The token of a request of which has to be found out first what it may do; nil if the request can go on.
  func unknownToken(of request: borrowing Request, for pending: PendingRequest) -> String? {
    if api.isOpen { return nil }
    switch pending.route.authorisation {
    case .open, .servers: return nil
    case .requires, .asks: break
    }
    let token = request.token ?? api.settings.defaultToken()
    return api.resolver.knows(token) ? nil : token
  }

  private func rights(of token: String, for pending: PendingRequest) throws(HTTPError) -> Rights {
    if api.isOpen { return .unlimited }
    switch pending.route.authorisation {
    case .open: return .unlimited
    // Whoever asks here all the same gets nothing.
    case .servers: return Rights(DenyAll.shared, isAnonymous: token.isEmpty)
    case .requires, .asks: break
    }
    do throws(AccessControlError) {
      return Rights(try api.resolver.authorizer(for: token), isAnonymous: token.isEmpty)
    } catch {
      if let answer = pending.route.unknownToken { throw answer }
      var failure = HTTPError(error, accessor: "", isAnonymous: token.isEmpty)
      failure.isFromRead = router.endpoints[pending.endpoint].traits.contains(.metaOnFailure)
      throw failure
    }
  }

  /// The one point through which every request reaches its endpoint.
  func run(_ pending: PendingRequest, _ request: inout Request, _ exchange: Exchange) {
    do throws(HTTPError) {
      if case .requires(let permission) = pending.route.authorisation {
        if let permission = permission(api, request) {
          if let refusal = exchange.rights.refusal(of: permission) { return exchange.failRead(refusal) }
        }
      }
      try pending.route.handler(api, &request, exchange)
    } catch {
      if error.isFromRead { exchange.failRead(error) } else { exchange.fail(error) }
    }
  }
}

extension PendingRequest {
  func request(body: ByteBuffer, spooled: SpoolFile? = nil) -> Request {
    Request(
      head: head, bytes: bytes, query: query, suffix: suffix, body: body, spooled: spooled,
      clientAddress: clientAddress)
  }
}
