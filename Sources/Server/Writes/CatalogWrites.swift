import Model
import State
import Telemetry

/// Puts a node with a service and checks into the catalog.
public struct CatalogRegister: WriteRequest {
  public static let method = "Catalog.Register"
  public static var duration: MetricSample? { ServerMetrics.register }
  public var request: RegisterRequest

  public init(_ request: RegisterRequest) { self.request = request }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    var request = request
    request.datacenter = context.datacenter
    try Self.checkNode(request)
    if var service = request.service {
      try CatalogRules.complete(&service)
      request.service = service
    }
    try Self.completeChecks(&request)
    try CatalogAccess.require(request, context)
    return .command(Command.register(request)) { (result) throws(ServerError) in
      try result.success(prefix: "")
    }
  }

  private static func checkNode(_ request: RegisterRequest) throws(ServerError) {
    if request.node.isEmpty { throw .invalid("Must provide node") }
    if request.address.isEmpty, !request.skipNodeUpdate {
      throw .invalid("Must provide address if SkipNodeUpdate is not set")
    }
    try CatalogRules.checkNodeID(request.id)
  }

  /// One list of checks, each with the node's name and an id.
  private static func completeChecks(_ request: inout RegisterRequest) throws(ServerError) {
    if let check = request.check {
      request.checks.append(check)
      request.check = nil
    }
    for index in request.checks.indices {
      var check = request.checks[index]
      if check.node.isEmpty { check.node = request.node }
      if check.checkID.isEmpty { check.checkID = check.name }
      if check.type.isEmpty { check.type = check.definition.value.kind }
      if check.node.lowercased() != request.node.lowercased() {
        throw .invalid(
          "Node '\(check.node)' for check '\(check.checkID)' doesn't match register request node '\(request.node)'")
      }
      request.checks[index] = check
    }
  }
}

/// Removes a service, a check or a whole node from the catalog.
public struct CatalogDeregister: WriteRequest {
  public static let method = "Catalog.Deregister"
  public static var duration: MetricSample? { ServerMetrics.deregister }
  public var request: DeregisterRequest

  public init(_ request: DeregisterRequest) { self.request = request }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    if request.node.isEmpty { throw .invalid("Must provide node") }
    var request = request
    request.datacenter = context.datacenter
    try CatalogAccess.require(request, context)
    return .command(Command.deregister(request)) { (result) throws(ServerError) in
      try result.success(prefix: "")
    }
  }
}
