import Model

extension CheckType {
  /// What is wrong with this check as a definition; nil if an agent can run it.
  public var definitionProblem: String? {
    let runs = [http, h2ping, tcp, udp, grpc, osService].contains { !$0.isEmpty } || !scriptArgs.isEmpty
    let isAlias = !aliasNode.isEmpty || !aliasService.isEmpty
    if runs, interval <= .zero {
      return "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"
    }
    if !dockerContainerID.isEmpty, scriptArgs.isEmpty { return "Docker checks need the arguments of a command" }
    if !runs, !isAlias, ttl <= .zero { return "TTL must be > 0 for TTL checks" }
    if outputMaxSize < 0 { return "MaxOutputMaxSize must be positive" }
    if interval > .zero, ttl > .zero { return "Interval and TTL cannot both be specified" }
    if !status.isEmpty, !["passing", "warning", "critical"].contains(status) {
      return "Status for checks must 'passing', 'warning', 'critical'"
    }
    return nil
  }
}
