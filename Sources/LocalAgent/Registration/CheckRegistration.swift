import Checks
import Model

/// A check that was asked for, ready to be added: the row that the catalog will show and what the agent does for it.
public struct CheckRegistration: Sendable, Equatable {
  public var check: HealthCheck
  public var definition: CheckType
  public var token = ""

  /// A check that was registered before.
  init(check: HealthCheck, definition: CheckType, token: String) {
    self.check = check
    self.definition = definition
    self.token = token
  }

  /// Checks the definition of a check that stands on its own, for the node or for a service named by id.
  ///
  /// - Parameter origin: API calls state the kind of check in the row, definitions in files do not.
  /// - Throws: `checkNameMissing`, `checkStatusInvalid`, `checkInvalid`.
  public init(_ definition: CheckDefinition, origin: CheckOrigin, node: String) throws(LocalAgentError) {
    let type = definition.type
    if type.name.isEmpty { throw .checkNameMissing }
    if !type.hasValidStatus { throw .checkStatusInvalid }
    let kind: CheckKind
    do {
      kind = try validate(type)
    } catch {
      throw .checkInvalid(error.description)
    }
    self.definition = type
    self.definition.checkID = definition.id.isEmpty ? type.name : definition.id
    token = definition.token
    check = HealthCheck(type, id: self.definition.checkID, name: type.name, node: node)
    check.serviceID = definition.serviceID
    check.type = origin == .api ? kind.rawValue : ""
    check.interval = type.interval.description
    check.timeout = type.timeout.description
  }

  /// A check that is described inside a service definition.
  ///
  /// - Parameters:
  ///   - position: which of the service's checks this is, counted from 1.
  ///   - count: how many checks the service has.
  init(_ type: CheckType, of service: NodeService, position: Int, count: Int, token: String, node: String) {
    definition = type
    if type.checkID.isEmpty {
      definition.checkID = "service:\(service.id)" + (count > 1 ? ":\(position)" : "")
    }
    self.token = token
    let name = type.name.isEmpty ? "Service '\(service.service)' check" : type.name
    check = HealthCheck(type, id: definition.checkID, name: name, node: node)
    check.serviceID = service.id
    check.serviceName = service.service
    check.serviceTags = service.tags
    check.type = CheckKind(type)?.rawValue ?? ""
    check.interval = type.interval == .zero ? "" : type.interval.description
    check.timeout = type.timeout == .zero ? "" : type.timeout.description
  }
}

extension CheckType {
  var hasValidStatus: Bool { ["", "passing", "warning", "critical"].contains(status) }
}

extension HealthCheck {
  /// The fields that checks of services and of nodes fill in the same way. A check is critical until something says better.
  fileprivate init(_ type: CheckType, id: String, name: String, node: String) {
    self.init()
    self.node = node
    checkID = id
    self.name = name
    status = type.status.isEmpty ? CheckStatus.critical.rawValue : type.status
    notes = type.notes
  }
}
