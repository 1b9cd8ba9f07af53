/// Why an agent does not start or go on.
public enum AgentError: Error, Equatable, CustomStringConvertible {
  case unusableFile(path: String, reason: String)
  case invalidNodeID(String)
  /// Another process uses the data directory, or it cannot be used for another reason.
  case storage(String)
  case listen(what: String, address: String, reason: String)
  case configuration(String)

  public var description: String {
    switch self {
    case .unusableFile(let path, let reason): "cannot use \(path): \(reason)"
    case .invalidNodeID(let id):
      "failed to setup node ID: specified NodeID is invalid: "
        + (id.utf8.count == 36 ? "uuid is improperly formatted" : "uuid string is wrong length")
    case .storage(let reason): reason
    case .listen(let what, let address, let reason): "error starting \(what) on \(address): \(reason)"
    case .configuration(let reason): reason
    }
  }
}
