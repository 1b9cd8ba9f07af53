/// The whole API: every path that it has, and what stands behind each.
enum Endpoints {
  static let all: [Endpoint] =
    kv + transactions + sessions + preparedQueries + events + snapshots + catalog + health + coordinates + status
    + agent + agentServices + agentChecks
    + agentHealth + internalUI + operations + accessControl + certificateAuthority + configEntries + intentions
    + discoveryChain
}
