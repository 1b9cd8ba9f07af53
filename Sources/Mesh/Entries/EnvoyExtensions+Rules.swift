import Model

/// What the built-in extensions of Envoy's configuration ask of their arguments (Consul documentation, "Envoy extensions").
enum EnvoyExtensionRules {
  static func complaints(_ extensions: [EnvoyExtension]) -> [String] {
    extensions.enumerated().compactMap { index, item in
      let place = "invalid EnvoyExtensions[\(index)]"
      if item.name.isEmpty { return "\(place): Name is required" }
      guard let rules = builtIn[item.name] else {
        return "\(place)[\(item.name)]: name \(item.name.goQuoted) is not a built-in extension"
      }
      let complaints = rules(Arguments(item.arguments.members))
      return complaints.isEmpty ? nil : "\(place)[\(item.name)]: " + ConfigEntryError.list(complaints)
    }
  }

  private static let builtIn: [String: @Sendable (Arguments) -> [String]] = [
    "builtin/aws/lambda": lambda, "builtin/ext-authz": authorization, "builtin/lua": lua,
    "builtin/otel-access-logging": accessLogging, "builtin/property-override": propertyOverride, "builtin/wasm": wasm,
  ]

  // MARK: extensions

  @Sendable private static func lambda(_ arguments: Arguments) -> [String] {
    var complaints: [String] = []
    if arguments["ARN"].isEmpty { complaints.append("ARN is required") }
    if !["", "synchronous", "asynchronous"].contains(arguments["InvocationMode"].lowercased()) {
      complaints.append("unexpected InvocationMode \(arguments["InvocationMode"].goQuoted)")
    }
    return complaints
  }

  @Sendable private static func lua(_ arguments: Arguments) -> [String] {
    var complaints: [String] = []
    if arguments["Script"].isEmpty { complaints.append("missing Script value") }
    if !["connect-proxy", "api-gateway"].contains(arguments["ProxyType"]) {
      complaints.append("unexpected ProxyType \(arguments["ProxyType"].goQuoted)")
    }
    if !["inbound", "outbound"].contains(arguments["Listener"]) {
      complaints.append("unexpected Listener \(arguments["Listener"].goQuoted)")
    }
    return complaints
  }

  @Sendable private static func wasm(_ arguments: Arguments) -> [String] {
    var complaints: [String] = []
    if !["tcp", "http"].contains(arguments["Protocol"]) {
      complaints.append("unsupported Protocol \(arguments["Protocol"].goQuoted), expected \"tcp\" or \"http\"")
    }
    if !["inbound", "outbound"].contains(arguments["ListenerType"]) {
      complaints.append(
        "unsupported ListenerType \(arguments["ListenerType"].goQuoted), expected \"inbound\" or \"outbound\"")
    }
    if !["", "connect-proxy", "api-gateway"].contains(arguments["ProxyType"]) {
      complaints.append("unsupported ProxyType \(arguments["ProxyType"].goQuoted), expected \"connect-proxy\"")
    }
    let code = arguments.at("PluginConfig", "VmConfig", "Code")
    let local = code.at("Local")
    let remote = code.at("Remote")
    if local.isEmpty == remote.isEmpty {
      complaints.append("VmConfig.Code must provide exactly one of Local or Remote data source")
    }
    if local.isEmpty {
      let uri = remote.at("HttpURI")
      if uri["URI"].isEmpty || uri.at("Service")["Name"].isEmpty {
        complaints.append("both Service and URI are required for Remote data sources")
      }
      if remote["SHA256"].isEmpty { complaints.append("SHA256 checksum is required for Remote data sources") }
    } else if local["Filename"].isEmpty {
      complaints.append("filename is required for Local data sources")
    }
    return complaints
  }

  @Sendable private static func authorization(_ arguments: Arguments) -> [String] {
    let config = arguments.at("Config")
    let services = [config.at("GrpcService"), config.at("HttpService")].filter { !$0.isEmpty }
    guard let service = services.first, services.count == 1 else {
      return proxyType(arguments) + ["exactly one of GrpcService or HttpService must be set"]
    }
    return proxyType(arguments) + target(service.at("Target"))
  }

  @Sendable private static func accessLogging(_ arguments: Arguments) -> [String] {
    let config = arguments.at("Config")
    return proxyType(arguments) + target(config.at("GrpcService").at("Target"))
  }

  @Sendable private static func propertyOverride(_ arguments: Arguments) -> [String] {
    let patches: [Dynamic] =
      switch arguments.value("Patches") {
      case .array(let patches)?: patches
      case .object(let patch)?: [.object(patch)]
      default: []
      }
    if patches.isEmpty {
      return proxyType(arguments) + ["at least one patch is required"]
    }
    return proxyType(arguments)
      + patches.enumerated().compactMap { index, patch in
        let complaint = patchComplaint(Arguments(patch.object ?? DynamicObject()))
        return complaint.map { "invalid Patches[\(index)]: \($0)" }
      }
  }

  private static func patchComplaint(_ patch: Arguments) -> String? {
    let filter = patch.at("ResourceFilter")
    let types = ["cluster", "cluster-load-assignment", "listener", "route"]
    if !types.contains(filter["ResourceType"]) {
      return "invalid ResourceType; expected one of: \(types.joined(separator: ", "))"
    }
    if !["inbound", "outbound"].contains(filter["TrafficDirection"]) {
      return "invalid TrafficDirection; expected one of: inbound, outbound"
    }
    if !["add", "remove"].contains(patch["Op"]) { return "invalid Op; expected one of: add, remove" }
    if patch["Path"].isEmpty { return "field Path is required" }
    if patch["Op"] == "add", patch.value("Value") == nil { return "field Value is required for op add" }
    if patch["Op"] == "remove", patch.value("Value") != nil { return "field Value is not supported for op remove" }
    let target = patch["Path"].split(separator: "/").last.map(String.init) ?? ""
    if patch["Op"] == "add", durations.contains(target) {
      return "unsupported target field type 'google.protobuf.Duration'"
    }
    return nil
  }

  /// Fields of clusters, endpoints, listeners and routes that are messages although they are written as one value, which an
  /// override cannot set (Envoy documentation, "API v3").
  private static let durations: Set<String> = [
    "connect_timeout", "cleanup_interval", "dns_refresh_rate", "dns_jitter", "update_merge_window", "interval",
    "base_ejection_time", "max_ejection_time", "max_ejection_time_jitter", "endpoint_stale_after",
    "listener_filters_timeout", "transport_socket_connect_timeout", "timeout", "idle_timeout", "max_stream_duration",
    "max_connection_duration", "per_try_timeout", "per_try_idle_timeout", "max_grpc_timeout", "grpc_timeout_offset",
    "no_traffic_interval", "unhealthy_interval", "healthy_edge_interval", "initial_jitter", "interval_jitter",
  ]

  // MARK: parts

  private static func proxyType(_ arguments: Arguments) -> [String] {
    let type = arguments["ProxyType"]
    return ["", "connect-proxy", "api-gateway"].contains(type) ? [] : ["unsupported ProxyType \(type.goQuoted)"]
  }

  private static func target(_ target: Arguments) -> [String] {
    let uri = target["URI"]
    if target.at("Service")["Name"].isEmpty == uri.isEmpty {
      return ["exactly one of Target.Service or Target.URI must be set"]
    }
    let isLocal = uri.isEmpty || ["localhost:", "127.0.0.1:", "::1:"].contains { uri.hasPrefix($0) }
    return isLocal
      ? [] : ["invalid host for Target.URI \(uri.goQuoted): expected \"localhost\", \"127.0.0.1\", or \"::1\""]
  }

  /// The arguments of an extension, or a part of them. Names match without regard to case and underscores; what is not there
  /// is empty.
  private struct Arguments {
    private let members: DynamicObject

    init(_ members: DynamicObject) { self.members = members }

    var isEmpty: Bool { members.isEmpty }

    func value(_ name: String) -> Dynamic? {
      let name = name.lowercased()
      return members.members.last { $0.key.lowercased().filter { $0 != "_" } == name }?.value
    }

    subscript(name: String) -> String {
      switch value(name) {
      case .null?, .array?, .object?, nil: ""
      case let scalar?: scalar.plainText
      }
    }

    func at(_ path: String...) -> Arguments {
      var place = self
      for name in path { place = Arguments(place.value(name)?.object ?? DynamicObject()) }
      return place
    }
  }
}
