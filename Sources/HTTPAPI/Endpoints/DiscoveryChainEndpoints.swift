import Mesh
import Model
import Server

/// `/v1/discovery-chain/` and `/v1/exported-services`: what the mesh makes of config entries.
extension Endpoints {
  static let discoveryChain: [Endpoint] = [
    Endpoint(
      "/v1/discovery-chain/", [.metaOnFailure, .consistency], Route(.get, .servers, DiscoveryChains.get),
      Route(.post, .servers, DiscoveryChains.getWithOverrides)),
    Endpoint("/v1/exported-services", [], Route(.get, .servers, DiscoveryChains.sharedServices)),
  ]
}

enum DiscoveryChains {
  static func get(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try send(DiscoveryChainOverrides(), request, exchange)
  }

  static func getWithOverrides(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    if request.suffix.isEmpty { throw .badRequest("Missing chain name") }
    let failure = "Request decoding failed: "
    let body = try request.json(failure: failure)
    let overrides: DiscoveryChainOverrides
    do throws(DecodingError) {
      overrides = try DiscoveryChainOverrides(from: body, DecodingContext(.configuration))
    } catch {
      throw .badRequest(failure + Self.report(error))
    }
    guard ["", "none", "local", "remote", "default"].contains(overrides.meshGateway.mode) else {
      throw .badRequest("Invalid OverrideMeshGateway.Mode parameter")
    }
    try send(overrides, request, exchange)
  }

  private static func report(_ error: DecodingError) -> String {
    guard case .invalid(let path, let reason) = error else { return error.description }
    return "1 error(s) decoding:\n\n* error decoding '\(path)': \(reason)"
  }

  private static func send(
    _ overrides: DiscoveryChainOverrides, _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) {
    if request.suffix.isEmpty { throw .badRequest("Missing chain name") }
    let options = try request.readOptions(exchange)
    let query = DiscoveryChainGet(
      request.suffix, evaluateIn: request.query["compile-dc"] ?? "", overrides: overrides)
    exchange.readCached(query, options) { answer in
      switch answer.value {
      case .failure(let error): exchange.failRead(error)
      case .success(let chain):
        exchange.json(exchange.head(answer, options)) { writer in
          writer.beginObject()
          writer.member("Chain")
          chain.encodeJSON(&writer)
          writer.endObject()
        }
      }
    }
  }

  static func sharedServices(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let filter = try FilterParameter<SharedService>(request)
    exchange.read(SharedServices(), options) { answer in
      exchange.json(exchange.head(answer, options)) {
        $0.array(filter.apply(to: answer.value) { $0 }) { $1.encodeJSON(&$0) }
      }
    }
  }
}
