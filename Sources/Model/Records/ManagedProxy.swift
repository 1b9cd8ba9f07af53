/// A proxy that the agent runs itself beside a service: `connect { proxy { … } }`, as releases up to 1.5 had it.
public struct ManagedProxy: Record {
  /// `daemon` or `script`; "" runs the built-in proxy.
  public var execMode = ""
  /// The program to run instead of the built-in proxy.
  public var command: [String] = []
  /// Settings of the proxy. May hold `upstreams`, too.
  public var config = DynamicMap()
  public var upstreams: [Upstream] = []

  public init() {}

  public static let schema = Schema<ManagedProxy>("structs.ServiceDefinitionConnectProxy") {
    $0.field("ExecMode", \.execMode, .omitEmpty)
    $0.field("Command", \.command, .omitEmpty)
    $0.field("Config", \.config, .omitEmpty)
    $0.field("Upstreams", \.upstreams, .omitEmpty)
  }
}
