extension NodeService {
  /// What is wrong with this instance by the rules of its kind, in the reference's words; empty when nothing is.
  public var problems: [String] {
    var problems: [String] = []
    if kind == ServiceKind.connectProxy { problems += proxyProblems }
    if [ServiceKind.meshGateway, ServiceKind.terminatingGateway].contains(kind) {
      if port == 0 { problems.append("Port must be non-zero for a \(kind)") }
      problems += gatewayProblems
    }
    if [ServiceKind.ingressGateway, ServiceKind.apiGateway].contains(kind) { problems += gatewayProblems }
    if connect.value.native, port == 0, socketPath.isEmpty {
      problems.append("Port or SocketPath must be set for a Connect native service.")
    }
    if let sidecar = connect.value.sidecarService?.value { problems += sidecarProblems(sidecar) }
    return problems
  }

  /// `problems` as the reference lists them, or nil.
  public var problemText: String? { Self.list(problems) }

  /// A numbered heading and a bullet each.
  public static func list(_ problems: [String]) -> String? {
    guard !problems.isEmpty else { return nil }
    let heading = problems.count == 1 ? "1 error occurred" : "\(problems.count) errors occurred"
    return "\(heading):\n" + problems.map { "\t* \($0)\n" }.joined() + "\n"
  }

  private var proxyProblems: [String] {
    let proxy = proxy.value
    var problems: [String] = []
    if proxy.destinationServiceName.isEmpty {
      problems.append("Proxy.DestinationServiceName must be non-empty for Connect proxy services")
    }
    if proxy.destinationServiceName == "*" {
      problems.append("Proxy.DestinationServiceName must not be a wildcard for Connect proxy services")
    }
    if port == 0, socketPath.isEmpty { problems.insert("Port or SocketPath must be set for a connect-proxy", at: 0) }
    if connect.value.native { problems.append("A Proxy cannot also be Connect Native, only typical services") }
    return problems + upstreamProblems(proxy.upstreams) + exposeProblems(proxy.expose)
  }

  private func upstreamProblems(_ upstreams: [Upstream]) -> [String] {
    var problems: [String] = []
    var destinations: Set<String> = []
    var addresses: Set<String> = []
    for upstream in upstreams {
      if let problem = upstream.problem {
        problems.append(problem)
        continue
      }
      let address = upstream.bindAddress
      if !address.isEmpty, !addresses.insert(address).inserted {
        problems.append(
          "upstreams cannot contain duplicates by local bind address and port or unix path; \"\(address)\" is specified twice"
        )
      }
      let type = upstream.destinationType.isEmpty ? "service" : upstream.destinationType
      let destination =
        "[type=\"\(type)\", name=\"\(upstream.destinationName)\", partition=\"\(upstream.destinationPartition)\", "
        + "namespace=\"\(upstream.destinationNamespace)\", peer=\"\(upstream.destinationPeer)\", "
        + "datacenter=\"\(upstream.datacenter)\"]"
      if !destinations.insert(destination).inserted {
        problems.append("upstreams cannot contain duplicates of \(destination)")
      }
    }
    return problems
  }

  private func exposeProblems(_ expose: ExposeConfig) -> [String] {
    var problems: [String] = []
    var paths: Set<String> = []
    for path in expose.paths {
      if path.path.isEmpty { problems.append("expose.paths.path must be non-empty") }
      if !paths.insert(path.path).inserted { problems.append("duplicate paths exposed: \(path.path)") }
      if path.listenerPort <= 0 || path.listenerPort > 65535 {
        problems.append("invalid listener port: \(path.listenerPort)")
      }
      if !["", "http", "http2"].contains(path.protocol) {
        problems.append("protocol '\(path.protocol)' not supported for path: \(path.path), must be in: [http http2]")
      }
    }
    return problems
  }

  private var gatewayProblems: [String] {
    let proxy = proxy.value
    func invalid(_ name: String) -> String { "The Proxy.\(name) configuration is invalid for a \(kind)" }
    var problems: [String] = []
    if !proxy.destinationServiceName.isEmpty { problems.append(invalid("DestinationServiceName")) }
    if !proxy.destinationServiceID.isEmpty { problems.append(invalid("DestinationServiceID")) }
    if !proxy.localServiceAddress.isEmpty { problems.append(invalid("LocalServiceAddress")) }
    if proxy.localServicePort != 0 { problems.append(invalid("LocalServicePort")) }
    if !proxy.upstreams.isEmpty { problems.append(invalid("Upstreams")) }
    return problems
  }

  private func sidecarProblems(_ sidecar: ServiceDefinition) -> [String] {
    if kind != ServiceKind.typical { return ["A \(kind) cannot have a sidecar service defined"] }
    var problems: [String] = []
    if !sidecar.id.isEmpty {
      problems.append("A SidecarService cannot specify an ID as this is managed by the agent")
    }
    if sidecar.connect?.value.sidecarService != nil {
      problems.append("A SidecarService cannot have a nested SidecarService")
    }
    return problems
  }
}

extension Upstream {
  /// What is wrong with this upstream by itself.
  var problem: String? {
    if !["", "service", "prepared_query"].contains(destinationType) {
      return "unknown upstream destination type: \"\(destinationType)\""
    }
    if destinationName.isEmpty { return "upstream destination name cannot be empty" }
    if destinationName == "*", !centrallyConfigured { return "upstream destination name cannot be a wildcard" }
    if centrallyConfigured { return nil }
    if localBindPort == 0, localBindSocketPath.isEmpty {
      return "upstream local bind port or local socket path must be defined and nonzero"
    }
    if localBindPort != 0, !localBindSocketPath.isEmpty {
      return "only one of upstream local bind port or local socket path can be defined and nonzero"
    }
    return nil
  }

  /// Where the proxy listens for this upstream: `address:port` or a path.
  var bindAddress: String {
    if centrallyConfigured { return "" }
    if !localBindSocketPath.isEmpty { return localBindSocketPath }
    return "\(localBindAddress.isEmpty ? "127.0.0.1" : localBindAddress):\(localBindPort)"
  }
}
