import Model

/// What the local agent needs to know of the agent's configuration.
public struct LocalAgentSettings: Sendable {
  public var node: OwnNode
  public var datacenter = "dc1"
  /// Where registrations survive restarts; nil keeps nothing (development mode).
  public var dataDirectory: String?
  /// How long a change of a check's output alone may wait before the catalog gets it (`check_update_interval`). Zero
  /// does not wait.
  public var checkUpdateInterval = GoDuration.minutes(5)
  /// Whether outputs of checks are thrown away (`discard_check_output`).
  public var discardsCheckOutput = false
  /// The least time that `deregister_critical_service_after` can mean, and how often it is looked at.
  public var criticalServiceMinimum = GoDuration.minutes(1)
  public var reapInterval = GoDuration.seconds(30)
  /// Ports for sidecars that name none (`ports.sidecar_min_port`, `…max_port`); an empty range assigns none.
  public var sidecarPorts = 21000...21255
  /// Ports for checks that a proxy exposes (`ports.expose_min_port`, `…max_port`).
  public var exposedPorts = 21500...21755
  /// Whether API calls may ask for a proxy that the agent runs itself (`connect.proxy.allow_managed_api_registration`).
  public var allowsManagedProxiesOverAPI = false
  public var tokens = AgentTokens()
  /// Nodes in the cluster: larger ones are synchronised less often.
  public var clusterSize: @Sendable () -> Int = { 1 }

  public init(node: OwnNode) { self.node = node }
}

/// What the catalog should know of the agent's own node.
public struct OwnNode: Sendable, Equatable {
  public var id = ""
  public var name: String
  public var address: String
  public var taggedAddresses = StringMap()
  public var meta = StringMap()
  public var locality: Locality?

  public init(name: String, address: String) {
    self.name = name
    self.address = address
  }
}

/// The tokens that the agent uses of its own accord.
public struct AgentTokens: Sendable, Equatable {
  /// For registrations that carry none (`acl.tokens.default`).
  public var user = ""
  /// For the node itself (`acl.tokens.agent`); falls back to `user`.
  public var agent = ""
  /// For services and checks of configuration files that carry none (`acl.tokens.config_file_service_registration`); falls
  /// back to `user`.
  public var configuredServices = ""

  public init() {}

  var node: String { agent.isEmpty ? user : agent }
}
