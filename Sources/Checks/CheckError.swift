/// Why a check cannot be run as described.
public enum CheckError: Error, Equatable, Sendable, CustomStringConvertible {
  case intervalAndTTL
  case intervalMissing
  case intervalOfAlias
  case ttlMissing
  case outputMaxSizeNegative
  case warningAboveCritical
  /// Script and Docker checks are off, for calls of the API or altogether.
  case scriptsDisabled(CheckOrigin)
  /// The host has no service manager that the agent could ask.
  case osServicesUnsupported
  /// A status was set for a check that finds out its status itself.
  case notTTL(id: String)

  public var description: String {
    switch self {
    case .intervalAndTTL: "Interval and TTL cannot both be specified"
    case .intervalMissing: "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"
    case .intervalOfAlias: "Interval cannot be set for Alias checks"
    case .ttlMissing: "TTL must be > 0 for TTL checks"
    case .outputMaxSizeNegative: "MaxOutputMaxSize must be positive"
    case .warningAboveCritical: "FailuresBeforeWarning can't be higher than FailuresBeforeCritical"
    case .scriptsDisabled(.api):
      "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true"
    case .scriptsDisabled(.configurationFile):
      "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true"
    case .osServicesUnsupported: "not implemented: OS service checks need systemd, which does not run on this host"
    case .notTTL(let id): "CheckID \"\(id)\" does not have associated TTL"
    }
  }
}
