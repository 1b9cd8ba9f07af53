import Logging
import Model
import NIOCore

/// What the checks of an agent share.
public struct CheckEnvironment: Sendable {
  /// Which script and Docker checks may run.
  public enum Scripts: Sendable {
    case disabled
    /// Those of configuration files (`enable_local_script_checks`).
    case fromFiles
    /// All (`enable_script_checks`).
    case enabled
  }

  public var eventLoopGroup: any EventLoopGroup
  /// The name of the agent's node.
  public var nodeName: String
  public var aliases: any AliasSource
  public var logger: Logger
  public var scripts = Scripts.disabled
  /// The most bytes of output that are kept (`check_output_max_size`). A check can ask for less, not for more.
  public var outputMaxSize = 4096
  /// The Docker daemon: a path, `unix://…` or `tcp://…`. Usually what `DOCKER_HOST` says.
  public var dockerHost = "unix:///var/run/docker.sock"
  /// A random length below the given one, by which the first run waits so that checks spread over time.
  public var stagger: @Sendable (GoDuration) -> GoDuration = { limit in
    limit > .zero ? GoDuration(nanoseconds: .random(in: 0..<limit.nanoseconds)) : .zero
  }
  let tls: TLSContexts

  /// - Parameter agentTLS: the agent's own certificate and authorities, which `enable_agent_tls_for_checks` lends to checks;
  ///   nil checks servers against the authorities of the system.
  public init(
    eventLoopGroup: any EventLoopGroup, nodeName: String, aliases: any AliasSource, logger: Logger,
    agentTLS: AgentTLS? = nil
  ) {
    self.eventLoopGroup = eventLoopGroup
    self.nodeName = nodeName
    self.aliases = aliases
    self.logger = logger
    self.tls = TLSContexts(agentTLS)
  }

  /// Gives running and new checks another certificate and other authorities, from their next connection on.
  public func replaceTLS(_ agentTLS: AgentTLS?) { tls.replace(agentTLS) }

  func allowsScripts(_ origin: CheckOrigin) -> Bool {
    switch (scripts, origin) {
    case (.enabled, _), (.fromFiles, .configurationFile): true
    default: false
    }
  }
}

/// What an alias check follows.
public struct AliasTarget: Sendable, Hashable {
  /// The node, or "" for this agent's own.
  public var node: String
  /// The service on that node, or "" for the health of the node itself.
  public var serviceID: String

  public init(node: String, serviceID: String) {
    self.node = node
    self.serviceID = serviceID
  }
}

/// What is known of an alias's target at one moment.
public struct AliasView: Sendable, Equatable {
  /// The checks of the target's node. Those of other services may be among them; they are passed over.
  public var checks: [HealthCheck]
  /// Whether the target's service is registered on the node. Does not matter for a node.
  public var serviceExists: Bool

  public init(checks: [HealthCheck], serviceExists: Bool) {
    self.checks = checks
    self.serviceExists = serviceExists
  }
}

/// Knows the health of services and nodes, of this agent as of others.
public protocol AliasSource: Sendable {
  /// Calls `changed` with the present view (before it returns, if it is known at hand) and after every change, in order,
  /// until the subscription is cancelled.
  func follow(_ target: AliasTarget, _ changed: @escaping @Sendable (AliasView) -> Void) -> any AliasSubscription
}

public protocol AliasSubscription: Sendable {
  func cancel()
}
