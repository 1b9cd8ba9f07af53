import Model

/// What a check does to learn about health. The raw value is the `Type` that the API shows.
public enum CheckKind: String, Sendable, CaseIterable {
  case grpc, http, ttl, tcp, udp, alias, docker, script, h2ping
  case osService = "os_service"

  /// The kind of a definition; nil when it names nothing to do. Of several targets the first of this order counts.
  public init?(_ definition: CheckType) {
    if !definition.target(http: true).isEmpty {
      self = .http
    } else if !definition.target(http: false).isEmpty {
      self = .grpc
    } else if definition.ttl > .zero {
      self = .ttl
    } else if !definition.tcp.isEmpty {
      self = .tcp
    } else if !definition.udp.isEmpty {
      self = .udp
    } else if !definition.aliasNode.isEmpty || !definition.aliasService.isEmpty {
      self = .alias
    } else if !definition.dockerContainerID.isEmpty && !definition.scriptArgs.isEmpty {
      self = .docker
    } else if !definition.scriptArgs.isEmpty {
      self = .script
    } else if !definition.h2ping.isEmpty {
      self = .h2ping
    } else if !definition.osService.isEmpty {
      self = .osService
    } else {
      return nil
    }
  }
}

extension CheckType {
  /// What an HTTP or gRPC check asks: the path that a sidecar exposes, if there is one, else what the user wrote.
  func target(http: Bool) -> String {
    if http { return proxyHTTP.isEmpty ? self.http : proxyHTTP }
    return proxyGRPC.isEmpty ? grpc : proxyGRPC
  }
}
