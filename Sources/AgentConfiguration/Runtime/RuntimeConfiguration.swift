import Model

/// What an agent runs with: all sources merged, defaults filled in, every value in its type and valid.
public struct RuntimeConfiguration: Sendable, Equatable {
  /// The merged values by path, as the table of options knows them.
  public var settings: SettingValues

  // MARK: Identity

  /// Whether the agent runs in development mode: alone, in memory.
  public var isDevelopment: Bool
  public var isServer: Bool
  public var datacenter: String
  public var primaryDatacenter: String
  public var nodeName: String
  /// As configured; empty: the agent makes one.
  public var nodeID: String
  public var nodeMeta: [String: String]
  public var disableHostNodeID: Bool
  public var locality: Locality?

  // MARK: Life

  /// Empty only in development mode.
  public var dataDirectory: String
  public var pidFile: String
  public var autoReload: Bool
  /// Files and directories to watch when `autoReload` is set.
  public var sourcePaths: [String]
  public var leaveOnTerminate: Bool
  public var skipLeaveOnInterrupt: Bool
  public var rejoinAfterLeave: Bool
  public var serverRejoinAgeMax: GoDuration
  public var bootstrap: Bool
  /// Servers to wait for; 0: none.
  public var bootstrapExpect: Int

  // MARK: Behaviour

  public var sessionTTLMin: GoDuration
  public var defaultQueryTime: GoDuration
  public var maxQueryTime: GoDuration
  public var discoveryMaxStale: GoDuration
  public var useStreamingBackend: Bool
  public var enableStreaming: Bool
  public var protocolVersion: Int
  public var disableCoordinates: Bool
  public var disableRemoteExec: Bool
  public var disableUpdateCheck: Bool
  public var disableAnonymousSignature: Bool
  public var enableDebug: Bool
  public var translateWANAddresses: Bool
  public var experiments: [String]
  public var peeringEnabled: Bool
  public var readReplica: Bool

  // MARK: Parts

  public var ports: Ports
  public var addresses: Addresses
  public var unixSockets: UnixSockets
  public var join: Join
  public var gossipLAN: Gossip
  public var gossipWAN: Gossip
  public var encryption: Encryption
  public var raft: Raft
  public var autopilot: Autopilot
  public var performance: Performance
  public var dns: DNS
  public var http: HTTP
  public var ui: UserInterface
  public var limits: Limits
  public var checkSettings: Checks
  public var acl: ACL
  public var tls: TLS
  public var autoEncrypt: AutoEncrypt
  public var autoConfig: AutoConfig
  public var connect: Connect
  public var logging: Logging
  public var telemetry: Telemetry
  public var tracing: Tracing
  public var audit: Audit
  public var cache: Cache
  public var cloud: Cloud

  // MARK: Definitions

  public var services: [ServiceDefinition]
  /// Checks of the node, or of services that they name by id.
  public var checks: [CheckDefinition]
  /// Watch specifications as written, keys in their own case.
  public var watches: [DynamicMap]
  /// Configuration entries that the leader writes when they are missing, as written.
  public var configEntriesToBootstrap: [DynamicMap]
  /// `allow`, `deny` or ""; the agent refuses other words at start.
  public var defaultIntentionPolicy: String
}

extension RuntimeConfiguration {
  /// Ports; -1: off.
  public struct Ports: Sendable, Equatable {
    public var dns: Int
    public var http: Int
    public var https: Int
    public var grpc: Int
    public var grpcTLS: Int
    public var serfLAN: Int
    public var serfWAN: Int
    public var server: Int
    /// Ports for sidecars that name none; nil: none are assigned.
    public var sidecars: ClosedRange<Int>?
    /// Ports for exposed checks; nil: none are assigned.
    public var exposedChecks: ClosedRange<Int>?

    init(_ reader: inout SettingReader, isServer: Bool) {
      dns = reader.port("ports.dns")
      http = reader.port("ports.http")
      https = reader.port("ports.https")
      grpc = reader.port("ports.grpc")
      grpcTLS = reader.port("ports.grpc_tls", default: isServer ? 8503 : -1)
      serfLAN = reader.port("ports.serf_lan")
      serfWAN = reader.port("ports.serf_wan")
      server = reader.port("ports.server")
      sidecars = Self.range(&reader, "ports.sidecar_min_port", "ports.sidecar_max_port")
      exposedChecks = Self.range(&reader, "ports.expose_min_port", "ports.expose_max_port")
    }

    private static func range(_ reader: inout SettingReader, _ first: String, _ last: String) -> ClosedRange<Int>? {
      let (low, high) = (reader.port(first), reader.port(last))
      guard low > 0, high > 0 else { return nil }
      guard low <= high else {
        reader.problem("\(first): invalid value: \(low). Must be less than or equal to \(last) (\(high))")
        return nil
      }
      return low...high
    }
  }

  /// Addresses that the agent listens on and tells others.
  public struct Addresses: Sendable, Equatable {
    public var bind: IPAddress
    public var advertiseLAN: IPAddress
    public var advertiseWAN: IPAddress
    public var serfLANBind: IPAddress
    public var serfWANBind: IPAddress
    public var clients: [IPAddress]
    public var dns: [ListenAddress]
    public var http: [ListenAddress]
    public var https: [ListenAddress]
    public var grpc: [ListenAddress]
    public var grpcTLS: [ListenAddress]
    /// `lan`, `wan` and, by family, `lan_ipv4`, `lan_ipv6`, `wan_ipv4`, `wan_ipv6`.
    public var tagged: [String: String]
    public var advertiseReconnectTimeout: GoDuration
    public var serfLANAllowed: [CIDR]
    public var serfWANAllowed: [CIDR]
  }

  public struct UnixSockets: Sendable, Equatable {
    public var user: String
    public var group: String
    /// Octal permission bits as text; empty: the process's own.
    public var mode: String

    init(_ reader: SettingReader) {
      user = reader.string("unix_sockets.user")
      group = reader.string("unix_sockets.group")
      mode = reader.string("unix_sockets.mode")
    }
  }
}
