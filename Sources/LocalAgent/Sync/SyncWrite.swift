import Checks
import Model

/// A request to the catalog with what it was made from.
struct SyncWrite: Sendable, Equatable {
  enum Request: Sendable, Equatable {
    case register(RegisterRequest)
    case deregister(DeregisterRequest)
  }

  var request: Request
  var token: String
  var revisions: [String: UInt64]
}

extension LocalState {
  /// The request that carries out `action` with the state as it is now.
  func write(for action: SyncAction, tokens: AgentTokens) -> SyncWrite? {
    let revisions = revisions(of: action)
    func token(_ own: String, _ origin: CheckOrigin) -> String {
      if !own.isEmpty { return own }
      return
        origin == .configurationFile && !tokens.configuredServices.isEmpty ? tokens.configuredServices : tokens.user
    }
    // A removal must also work when the token of the registration is gone or was never known.
    func removalToken(_ own: String?) -> String { own.map { $0.isEmpty ? tokens.node : $0 } ?? tokens.node }
    switch action {
    case .updateNode:
      return SyncWrite(
        request: .register(registerRequest(skipNodeUpdate: false)), token: tokens.node, revisions: revisions)
    case .registerService(let id, let checkIDs):
      guard let entry = service(id) else { return nil }
      var request = registerRequest(skipNodeUpdate: isNodeInSync)
      request.service = entry.service.forCatalog
      request.checks = checkIDs.compactMap { check($0)?.check }
      return SyncWrite(request: .register(request), token: token(entry.token, entry.origin), revisions: revisions)
    case .registerCheck(let id):
      guard let entry = check(id) else { return nil }
      var request = registerRequest(skipNodeUpdate: isNodeInSync)
      request.checks = [entry.check]
      // The service comes along so that the request is allowed with the rights for the service alone.
      request.service = service(entry.check.serviceID)?.service.forCatalog
      return SyncWrite(request: .register(request), token: token(entry.token, entry.origin), revisions: revisions)
    case .deregisterService(let id):
      var request = DeregisterRequest()
      request.node = node.name
      request.serviceID = id
      return SyncWrite(
        request: .deregister(request), token: removalToken(services[id]?.token), revisions: revisions)
    case .deregisterCheck(let id):
      var request = DeregisterRequest()
      request.node = node.name
      request.checkID = id
      return SyncWrite(request: .deregister(request), token: removalToken(checks[id]?.token), revisions: revisions)
    }
  }

  private func registerRequest(skipNodeUpdate: Bool) -> RegisterRequest {
    var request = RegisterRequest()
    request.id = node.id
    request.node = node.name
    request.address = node.address
    request.taggedAddresses = node.taggedAddresses
    request.nodeMeta = node.meta
    request.locality = node.locality
    request.skipNodeUpdate = skipNodeUpdate
    return request
  }
}

extension NodeService {
  /// Without the address that servers assign.
  fileprivate var forCatalog: NodeService {
    var copy = self
    copy.taggedAddresses[LocalState.virtualAddress] = nil
    return copy
  }
}
