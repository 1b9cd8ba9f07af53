/// A request with its full address, as the network layer takes it.
struct WireRequest: Sendable {
  var method: String
  /// `http://127.0.0.1:8500`
  var origin: String
  /// Path and query, encoded.
  var path: String
  var headers: [(name: String, value: String)]
  var body: [UInt8]?
  var timeout: Duration?

  var url: String { origin + path }
}

/// Carries requests to an agent. The network is one implementation, tests have another.
protocol Transport: Sendable {
  func send(_ request: WireRequest) async throws -> APIResponse
  /// The answer without its body, and the body as it arrives.
  func stream(_ request: WireRequest) async throws -> (head: APIResponse, body: BodyStream)
  func shutdown() async
  /// Why `send` or `stream` failed, in one line.
  func cause(of error: any Error) -> String
}

extension Transport {
  func stream(_ request: WireRequest) async throws -> (head: APIResponse, body: BodyStream) {
    let response = try await send(request)
    return (
      response,
      BodyStream { continuation in
        continuation.yield(response.body)
        continuation.finish()
      }
    )
  }

  func shutdown() async {}

  func cause(of error: any Error) -> String { "\(error)" }
}

/// The pieces of a body, in order.
public typealias BodyStream = AsyncThrowingStream<[UInt8], any Error>
