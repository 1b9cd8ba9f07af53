// ConsulClient: the HTTP API of an agent as Swift calls, for programs and for the commands of this binary.
//
// It owns: how an agent is found and addressed (`Connection`), the calls (`Endpoints`), and what is built from them on
// the client's side (`Recipes`: locks, semaphores, watches). It must not know anything of an agent's inside; what it
// knows of records are the members of their JSON.
//
//     Watch, Lock ─ Endpoints (kv, session, catalog …) ─ ConsulClient.perform ─ Transport ─ network

import Model

/// A client of one agent. Cheap to create; connections are opened by the first request and kept for the next ones.
///
///     let client = try ConsulClient(ClientConfiguration(environment: variables))
///     let pair = try await client.kv.get("redis/config/maxconns")
///     await client.shutdown()
public final class ConsulClient: Sendable {
  public let configuration: ClientConfiguration
  private let transport: any Transport
  private let token: String?

  /// - Throws: `ClientError.configuration` if a file that the configuration names cannot be used.
  public convenience init(_ configuration: ClientConfiguration) throws(ClientError) {
    let token = try configuration.resolvedToken()
    self.init(configuration, token: token, transport: try NetworkTransport(configuration))
  }

  init(_ configuration: ClientConfiguration, token: String?, transport: any Transport) {
    self.configuration = configuration
    self.token = token
    self.transport = transport
  }

  /// Closes idle connections. No call may follow.
  public func shutdown() async {
    await transport.shutdown()
  }

  /// Sends a request and collects the answer, whatever its status.
  /// - Throws: `ClientError.noResponse`, or `CancellationError` if the task was cancelled.
  public func send(_ request: APIRequest) async throws -> APIResponse {
    let wire = wireRequest(for: request)
    do {
      return try await transport.send(wire)
    } catch {
      if Task.isCancelled { throw CancellationError() }
      if let error = error as? ClientError { throw error }
      throw ClientError.noResponse(method: request.method, url: wire.url, cause: transport.cause(of: error))
    }
  }

  /// Sends a request whose answer must have status 200 (or one of `others`).
  /// - Throws: what `send` throws, and `ClientError.unexpectedStatus`.
  @discardableResult
  public func perform(_ request: APIRequest, orStatus others: Int...) async throws -> APIResponse {
    let response = try await send(request)
    guard response.status == 200 || others.contains(response.status) else {
      throw ClientError.unexpectedStatus(code: response.status, body: response.text.trimmed)
    }
    return response
  }

  /// Sends a request and returns the answer's body while it is still arriving; its status is 200.
  public func stream(_ request: APIRequest) async throws -> BodyStream {
    let wire = wireRequest(for: request)
    let stream: (head: APIResponse, body: BodyStream)
    do {
      stream = try await transport.stream(wire)
    } catch {
      if Task.isCancelled { throw CancellationError() }
      throw ClientError.noResponse(method: request.method, url: wire.url, cause: transport.cause(of: error))
    }
    guard stream.head.status == 200 else {
      var text: [UInt8] = []
      for try await piece in stream.body where text.count < 64 * 1024 { text += piece }
      throw ClientError.unexpectedStatus(code: stream.head.status, body: String(decoding: text, as: UTF8.self).trimmed)
    }
    return stream.body
  }

  private func wireRequest(for request: APIRequest) -> WireRequest {
    let address = configuration.address
    let prefix = address.pathPrefix.isEmpty ? "" : "/" + address.pathPrefix
    var query = request.query
    for (name, value) in [
      ("dc", configuration.datacenter), ("ns", configuration.namespace), ("partition", configuration.partition),
    ] {
      if let value, !value.isEmpty, !query.contains(where: { $0.name == name }) { query.append((name, value)) }
    }
    // Sorted by name, so that equal requests have equal URLs.
    let text = query.sorted { $0.name < $1.name }
      .map { PercentEncoding.query($0.name) + "=" + PercentEncoding.query($0.value) }.joined(separator: "&")
    var headers = request.headers
    if let token = request.token ?? token, !token.isEmpty { headers.append(("X-Consul-Token", token)) }
    return WireRequest(
      method: request.method,
      origin: "\(address.isSecure ? "https" : "http")://\(address.authority)",
      path: prefix + PercentEncoding.path(request.path) + (text.isEmpty ? "" : "?" + text),
      headers: headers, body: request.body, timeout: request.timeout)
  }
}
