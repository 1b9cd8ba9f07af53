import Model
import NIOCore
import Server
import State

/// The part of the servers that synchronisation needs. Completions run on `loop`.
protocol CatalogAccess: Sendable {
  func view(
    node: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<CatalogView, ServerError>) -> Void)

  func register(
    _ request: RegisterRequest, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Bool, ServerError>) -> Void)

  func deregister(
    _ request: DeregisterRequest, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Bool, ServerError>) -> Void)
}

/// The catalog behind a `Backend`.
struct BackendCatalog: CatalogAccess {
  let backend: any Backend

  func view(
    node: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<CatalogView, ServerError>) -> Void
  ) {
    let options = QueryOptions(token: token)
    backend.query(CatalogNodeServices(node: node), options, on: loop) { services in
      switch services {
      case .failure(let error): completion(.failure(error))
      case .success(let services):
        backend.query(HealthNodeChecks(node: node), options, on: loop) { checks in
          completion(checks.map { Self.view(services.value, checks: $0.value) })
        }
      }
    }
  }

  private static func view(_ found: NodeServices?, checks: [Row<HealthCheck>]) -> CatalogView {
    CatalogView(
      node: found?.node.value, services: found?.services.map(\.value) ?? [], checks: checks.map(\.value))
  }

  func register(
    _ request: RegisterRequest, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Bool, ServerError>) -> Void
  ) {
    backend.write(CatalogRegister(request), datacenter: backend.datacenter, token: token, on: loop, completion)
  }

  func deregister(
    _ request: DeregisterRequest, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Bool, ServerError>) -> Void
  ) {
    backend.write(CatalogDeregister(request), datacenter: backend.datacenter, token: token, on: loop, completion)
  }
}

extension QueryOptions {
  init(token: String) {
    self.init()
    self.token = token
  }
}
