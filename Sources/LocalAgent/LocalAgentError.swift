/// Why the agent did not do what it was asked for. `description` is the text that the API answers with.
public enum LocalAgentError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure an error is; a face turns it into a status.
  public enum Category: Sendable {
    /// The request breaks a rule.
    case invalid
    /// The request names something that is not there.
    case notFound
    /// The request is fine, but this agent cannot or must not do it.
    case refused
  }

  case serviceNameMissing
  case serviceAddressInvalid
  case weightsInvalid(String)
  case serviceMetadataInvalid(String)
  /// Rules of the service's kind that are broken, as a list.
  case serviceInvalid(String)
  /// The same for the sidecar that the service asks for.
  case sidecarInvalid(String)
  case serviceCheckStatusInvalid
  case checkNameMissing
  case checkInvalid(String)
  case checkStatusInvalid
  /// A status update that names no status.
  case updateStatusInvalid(String)
  case managedProxyRefused
  case serviceIDMissing
  case unknownService(id: String)
  case unknownCheck(id: String)
  /// A check was registered for a service that does not exist.
  case noSuchService(id: String)
  /// A status was set for a check that finds out its status itself.
  case notTTL(id: String)
  case scriptsDisabled(String)
  case checkUnsupported(String)
  case noSidecarPortLeft(minimum: Int, maximum: Int)
  /// A definition of a configuration file cannot be registered.
  case definition(what: String, reason: String)
  /// The registration could not be written to the data directory.
  case storage(String)

  public var category: Category {
    switch self {
    case .unknownService, .unknownCheck, .noSuchService: .notFound
    case .notTTL, .scriptsDisabled, .checkUnsupported, .noSidecarPortLeft, .storage, .definition: .refused
    default: .invalid
    }
  }

  public var description: String {
    switch self {
    case .serviceNameMissing: "Missing service name"
    case .serviceAddressInvalid: "Invalid service address"
    case .weightsInvalid(let reason): "Invalid Weights: \(reason)"
    case .serviceMetadataInvalid(let reason): "Invalid Service Meta: \(reason)"
    case .serviceInvalid(let list): "Validation failed: \(list)"
    case .sidecarInvalid(let list): "Failed Validation: \(list)"
    case .serviceCheckStatusInvalid: "Status for checks must 'passing', 'warning', 'critical'"
    case .checkNameMissing: "Missing check name"
    case .checkInvalid(let reason): "Invalid check: \(reason)"
    case .checkStatusInvalid: "Bad check status"
    case .updateStatusInvalid(let status): "Invalid check status: '\(status)'"
    case .managedProxyRefused:
      "Managed proxies cannot be registered over the API; to enable, configure 'connect.proxy.allow_managed_api_registration' to true"
    case .serviceIDMissing: "Missing service ID"
    case .unknownService(let id):
      "Unknown service ID \"\(id)\". Ensure that the service ID is passed, not the service name."
    case .unknownCheck(let id): "Unknown check ID \"\(id)\". Ensure that the check ID is passed, not the check name."
    case .noSuchService(let id): "ServiceID \"\(id)\" does not exist"
    case .notTTL(let id): "CheckID \"\(id)\" does not have associated TTL"
    case .scriptsDisabled(let text), .checkUnsupported(let text): text
    case .noSidecarPortLeft(let minimum, let maximum):
      "no port provided for sidecar_service and none left in the configured range [\(minimum), \(maximum)]"
    case .definition(let what, let reason): "\(what): \(reason)"
    case .storage(let reason): "failed persisting registration: \(reason)"
    }
  }
}
