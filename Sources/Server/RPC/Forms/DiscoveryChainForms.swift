import Mesh
import Model
import State

// How discovery chains travel.

extension DiscoveryChainGet {
  public var request: DiscoveryChainRequest {
    var request = DiscoveryChainRequest()
    request.name = service
    request.evaluateInDatacenter = evaluateIn
    request.overrideMeshGateway = overrides.meshGateway
    request.overrideProtocol = overrides.protocol
    request.overrideConnectTimeout = overrides.connectTimeout
    return request
  }

  public init(request: DiscoveryChainRequest) throws(ServerError) {
    if request.name.isEmpty { throw .invalid("Must provide service name") }
    self.init(
      request.name, evaluateIn: request.evaluateInDatacenter,
      overrides: DiscoveryChainOverrides(
        protocol: request.overrideProtocol, connectTimeout: request.overrideConnectTimeout,
        meshGateway: request.overrideMeshGateway))
  }

  public static func response(
    _ reply: Result<CompiledDiscoveryChain, ServerError>
  ) throws(ServerError) -> DiscoveryChainResponse {
    var response = DiscoveryChainResponse()
    response.chain = try reply.get()
    return response
  }

  public static func reply(_ response: DiscoveryChainResponse) -> Result<CompiledDiscoveryChain, ServerError> {
    response.chain.map { .success($0) } ?? .failure(.invalid("the answer has no discovery chain"))
  }
}

extension SharedServices {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }

  public static func response(_ reply: [SharedService]) -> SharedServicesResponse {
    var response = SharedServicesResponse()
    response.services = reply
    return response
  }

  public static func reply(_ response: SharedServicesResponse) -> [SharedService] { response.services }
}
