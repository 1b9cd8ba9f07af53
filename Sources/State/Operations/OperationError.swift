import Model

/// Why an operation of a transaction failed. Texts are the reference's where it has one.
enum OperationError: Error, Equatable, CustomStringConvertible {
  /// What an operation is about.
  enum Subject: Equatable, CustomStringConvertible {
    case key(String)
    /// By name, or by id where it was asked for by that.
    case node(String)
    case service(id: String, node: String)
    case check(id: String, node: String)

    var description: String {
      switch self {
      case .key(let key): "key \(key.goQuoted)"
      case .node(let name): "node \(name.goQuoted)"
      case .service(let id, let node): "service \(id.goQuoted) on node \(node.goQuoted)"
      case .check(let id, let node): "check \(id.goQuoted) on node \(node.goQuoted)"
      }
    }
  }

  enum Kind: String { case kv = "KV", node, service, check, session }

  case missing(Subject)
  case exists(Subject)
  /// What is stored was changed after the index that the operation compares.
  case staleSet(Subject)
  case staleDelete(Subject)
  case indexOfMissingKey(String)
  case indexDiffers(key: String, current: UInt64, expected: UInt64)
  case sessionOfMissingKey(String)
  case sessionDiffers(key: String, current: String, expected: String)
  case locked(key: String)
  case notLocked(key: String)
  case missingService
  case incompleteService
  case incompleteNode
  /// A check without a node or without an id.
  case incompleteCheck
  case unknownVerb(Kind, String)
  /// None that this release knows is there.
  case empty
  case state(StateError)

  var description: String {
    switch self {
    case .missing(let subject): "\(subject) doesn't exist"
    case .exists(let subject): "\(subject) exists"
    case .staleSet(let subject): "failed to set \(subject), index is stale"
    case .staleDelete(let subject): "failed to delete \(subject), index is stale"
    case .indexOfMissingKey(let key): "failed to check index, key \(key.goQuoted) doesn't exist"
    case .indexDiffers(let key, let current, let expected):
      "failed index check for key \(key.goQuoted), current modify index \(current) != \(expected)"
    case .sessionOfMissingKey(let key): "failed to check session, key \(key.goQuoted) doesn't exist"
    case .sessionDiffers(let key, let current, let expected):
      "failed session check for key \(key.goQuoted), current session \(current.goQuoted) != \(expected.goQuoted)"
    case .locked(let key): "failed to lock key \(key.goQuoted), lock is already held"
    case .notLocked(let key):
      "failed to unlock key \(key.goQuoted), lock isn't held, or is held by another session"
    case .missingService: "Missing service registration"
    case .incompleteService: "Must provide service name (Service.Service)"
    case .incompleteNode: "Must provide node"
    case .incompleteCheck: "failed health check lookup: index error: object is missing a value for this index"
    case .unknownVerb(let kind, let verb): "unknown \(kind.rawValue) operation: \(verb)"
    case .empty: "unknown operation"
    case .state(let error): error.reason
    }
  }
}
