import Model

extension CheckType {
  /// What is wrong with this check as a definition; nil if an agent can run it.
  public var definitionProblem: String? {
    let runs =
      !scriptArgs.isEmpty || [http, proxyHTTP, h2ping, tcp, udp, grpc, proxyGRPC, osService].contains { !$0.isEmpty }
    let isAlias = !aliasNode.isEmpty || !aliasService.isEmpty
    if interval > .zero, ttl > .zero { return "Interval and TTL cannot both be specified" }
    if runs, interval <= .zero {
      return "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"
    }
    if runs, isAlias { return "Interval cannot be set for Alias checks" }
    if !runs, !isAlias, ttl <= .zero { return "TTL must be > 0 for TTL checks" }
    if outputMaxSize < 0 { return "MaxOutputMaxSize must be positive" }
    if failuresBeforeWarning > failuresBeforeCritical {
      return "FailuresBeforeWarning can't be higher than FailuresBeforeCritical"
    }
    if !status.isEmpty, !["passing", "warning", "critical"].contains(status) {
      return "Status for checks must 'passing', 'warning', 'critical'"
    }
    return nil
  }
}
