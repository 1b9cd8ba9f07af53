import Mesh
import Model

/// Why a command or a snapshot could not be applied. Texts are the reference's where it has one.
public enum StateError: Error, Equatable, CustomStringConvertible {
  case missingNode
  case missingCheck(id: String)
  case criticalCheck(id: String)
  case missingSessionID
  case unknownService(id: String, check: String)
  case checkOfOtherNode(check: String, node: String, request: String)
  case checkWithoutID(node: String)
  /// A registration without the name of its node, or of a service without name or id.
  case incompleteNode
  case incompleteService(node: String)
  /// The name of a node belongs to another one that is alive. `renaming` tells whether the node changes its name.
  case nodeNameTaken(id: String, address: String, name: String, by: Node, renaming: Bool)
  case lockWithoutSession
  case invalidSession(id: String)
  case queryNameTaken(name: String)
  case queryNameIsID(name: String)
  case secondEmptyTemplate
  /// The first token exists already; `resetIndex` allows another.
  case bootstrapDone(resetIndex: UInt64)
  case wrongResetIndex(given: UInt64, expected: UInt64)
  case missingPolicy(id: String)
  case missingRole(id: String)
  case missingAuthMethod(name: String)
  /// A template of prepared queries that cannot be used; the reason says what and where.
  case template(String)
  case configEntry(ConfigEntryError)
  case unknownOperation(kind: String, operation: String)
  /// The command's type is not one that this release knows, and not one to be ignored either.
  case unknownCommand(type: UInt8)
  case emptyCommand
  case malformedCommand(type: UInt8, MessagePackError)
  /// Rows of other clusters are not part of this catalog.
  case importedRow(peer: String)
  case snapshot(SnapshotError)

  public var description: String {
    switch self {
    case .missingNode: "Missing node registration"
    case .missingCheck(let id): "Missing check '\(id)' registration"
    case .criticalCheck(let id): "Check '\(id)' is in critical state"
    case .missingSessionID: "Missing Session ID"
    case .unknownService(let id, let check): "Unknown service ID '\(id)' for check ID '\(check)'"
    case .checkOfOtherNode(let check, let node, let request):
      "Node '\(node)' for check '\(check)' doesn't match register request node '\(request)'"
    case .checkWithoutID(let node):
      "failed inserting check on node \"\(node)\": failed health check lookup: index error: "
        + "object is missing a value for this index"
    case .incompleteNode: "failed inserting node: Must provide node"
    case .incompleteService(let node):
      "failed inserting service on node \"\(node)\": Must provide service name (Service.Service)"
    case .nodeNameTaken(let id, let address, let name, let other, let renaming):
      "failed inserting node: Error while renaming Node ID: \"\(id)\"\(renaming ? " (\(address))" : ""): "
        + "Node name \(name) is reserved by node \(other.id) with name \(other.node) (\(other.address))"
    case .lockWithoutSession: "missing session"
    case .invalidSession(let id): "invalid session \"\(id)\""
    case .queryNameTaken(let name): "name '\(name)' aliases an existing query name"
    case .queryNameIsID(let name): "name '\(name)' aliases an existing query ID"
    case .secondEmptyTemplate: "a query template with an empty name already exists"
    case .bootstrapDone(let index): "ACL bootstrap no longer allowed (reset index: \(index))"
    case .wrongResetIndex(let given, let expected):
      "Invalid bootstrap reset index (specified \(given), reset index: \(expected))"
    case .missingPolicy(let id): "No such ACL policy with ID \"\(id)\""
    case .missingRole(let id): "No such ACL role with ID \"\(id)\""
    case .missingAuthMethod(let name): "No such ACL auth method with Name \"\(name)\""
    case .template(let reason): "failed compiling template: \(reason)"
    case .configEntry(let error): error.description
    case .unknownOperation(let kind, let operation): "Invalid \(kind) operation '\(operation)'"
    case .unknownCommand(let type): "unknown command type \(type)"
    case .emptyCommand: "empty command"
    case .malformedCommand(let type, let error): "command of type \(type) does not decode: \(error)"
    case .importedRow(let peer): "rows imported from peer \"\(peer)\" cannot be registered"
    case .snapshot(let error): error.description
    }
  }

  /// `description` without what registrations put before it: which part of them failed.
  var reason: String {
    let prefix = "failed inserting node: "
    return description.hasPrefix(prefix) ? String(description.dropFirst(prefix.count)) : description
  }
}

/// Why a snapshot could not be read.
public enum SnapshotError: Error, Equatable, CustomStringConvertible {
  case malformed(offset: Int, MessagePackError)
  /// The stream ends within a record.
  case truncated(offset: Int)
  case unknownRecord(type: UInt8)
  case enterpriseRecord(type: UInt8)
  /// A row refers to one that is missing.
  case inconsistent(String)

  public var description: String {
    switch self {
    case .malformed(let offset, let error): "snapshot record at byte \(offset) does not decode: \(error)"
    case .truncated(let offset): "snapshot ends within the record at byte \(offset)"
    case .unknownRecord(let type): "Unrecognized msg type \(type)"
    case .enterpriseRecord(let type):
      "msg type <\(type)> is a Consul Enterprise log entry. Consul OSS cannot restore it"
    case .inconsistent(let reason): reason
    }
  }
}
