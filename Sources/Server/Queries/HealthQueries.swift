import Model
import State

/// The instances of a service with the checks of each and of its node.
public struct HealthServiceNodes: CacheableQuery {
  public static let method = "Health.ServiceNodes"
  public var service: String
  /// Instances must have all of these.
  public var tags: [String]
  /// The mesh-capable instances of the service instead.
  public var connect: Bool
  /// Which instances count by their health.
  public var health = HealthFilter.all
  public var selection: NodeSelection

  public init(service: String, tags: [String] = [], connect: Bool = false, selection: NodeSelection = NodeSelection()) {
    self.service = service
    self.tags = tags
    self.connect = connect
    self.selection = selection
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[ServiceInstance]> {
    state.healthServiceNodes(service, tags: tags, connect: connect)
      .map { selection.apply(to: health.apply(to: $0), in: state) { $0.node } }
  }
}

/// Which instances count by their health. The numbers are those of the wire.
public enum HealthFilter: Int, Sendable {
  case all = 0
  case passing = 1
  case notCritical = 2

  func apply(to instances: [ServiceInstance]) -> [ServiceInstance] {
    switch self {
    case .all: instances
    case .passing: instances.filter { $0.checks.allSatisfy { $0.value.status == CheckStatus.passing.rawValue } }
    case .notCritical: instances.filter { $0.checks.allSatisfy { $0.value.status != CheckStatus.critical.rawValue } }
    }
  }
}

/// The checks of all instances of a service.
public struct HealthServiceChecks: ReadQuery {
  public static let method = "Health.ServiceChecks"
  public var service: String
  public var selection: NodeSelection

  public init(service: String, selection: NodeSelection = NodeSelection()) {
    self.service = service
    self.selection = selection
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<HealthCheck>]> {
    state.checks(service: service).map { selection.apply(to: $0, in: state) { state.node(named: $0.value.node) } }
  }
}

/// The checks of a node and of all its services.
public struct HealthNodeChecks: ReadQuery {
  public static let method = "Health.NodeChecks"
  public var node: String

  public init(node: String) { self.node = node }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<HealthCheck>]> { state.checks(node: node) }
}

/// All checks in one status, or in `any`.
public struct HealthChecksInState: ReadQuery {
  public static let method = "Health.ChecksInState"
  public var status: String
  public var selection: NodeSelection

  public init(status: String, selection: NodeSelection = NodeSelection()) {
    self.status = status
    self.selection = selection
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[Row<HealthCheck>]> {
    state.checks(state: status).map { selection.apply(to: $0, in: state) { state.node(named: $0.value.node) } }
  }
}
