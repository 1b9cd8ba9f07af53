import ConsulClient

/// `consul keyring`: the keys that gossip is encrypted with.
enum KeyringCommand {
  private static let install = Flag.string("install", "Let all members decrypt with this key.")
  private static let use = Flag.string("use", "Encrypt with this key from now on; it must be installed.")
  private static let remove = Flag.string("remove", "Forget this key, which must not be in use.")
  private static let list = Flag.bool("list", "List all keys, and how many members have them.")
  private static let listPrimary = Flag.bool("list-primary", "List the keys in use, and how many members use them.")
  private static let relayFactor = Flag.int(
    "relay-factor", "How many members pass an answer on that cannot come directly: 0 to 5.")
  private static let localOnly = Flag.bool("local-only", "Ask this datacenter's members only; for lists.")

  static var command: Command {
    Command(
      usage: "Usage: consul keyring [options]",
      about: """
        Shows and changes the keys that gossip between agents is encrypted with. A new key is installed everywhere first,
        then used, and the old one removed at last; no agent is cut off that way.
        """,
      clientFlags: ClientFlags.connection,
      flags: [install.any, use.any, remove.any, list.any, listPrimary.any, relayFactor.any, localOnly.any],
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    let changes = [invocation[install], invocation[use], invocation[remove]].filter { !$0.isEmpty }
    let count = changes.count + (invocation[list] ? 1 : 0) + (invocation[listPrimary] ? 1 : 0)
    if count == 0 { throw CommandFailure(Help.page(of: command)) }
    guard count == 1 else { throw CommandFailure("Only a single action is allowed") }
    guard (0...5).contains(invocation[relayFactor]) else {
      throw CommandFailure("Error parsing relay factor: Relay factor must be in range: [0, 5]")
    }
    if invocation[localOnly], !changes.isEmpty {
      throw CommandFailure("Error validating local-only: local-only can only be set for list requests")
    }
    let client = try invocation.client()
    if changes.isEmpty { return try await show(client, invocation) }
    let (title, method, key) =
      !invocation[install].isEmpty
      ? ("Installing new", "POST", invocation[install])
      : !invocation[use].isEmpty
        ? ("Changing primary", "PUT", invocation[use]) : ("Removing", "DELETE", invocation[remove])
    invocation.console.out("==> \(title) gossip encryption key...")
    try await explaining("error") {
      try await client.operator.changeKeyring(method, key: key, relayFactor: invocation[relayFactor])
    }
    return 0
  }

  private static func show(_ client: ConsulClient, _ invocation: Invocation) async throws -> Int32 {
    let isPrimary = invocation[listPrimary]
    invocation.console.out("==> Gathering installed \(isPrimary ? "primary " : "")encryption keys...")
    let pools = try await explaining("error") {
      try await client.operator.keyring(relayFactor: invocation[relayFactor], isLocalOnly: invocation[localOnly])
    }
    invocation.console.out(pools.map { text(of: $0, isPrimary: isPrimary) }.joined(separator: "\n"))
    return 0
  }

  static func text(of pool: OperatorEndpoint.KeyringPool, isPrimary: Bool) -> String {
    let keys = isPrimary ? pool.primaryKeys : pool.keys
    let lines = keys.sorted { $0.key < $1.key }.map { "  \($0.key) [\($0.value)/\(pool.memberCount)]" }
    return "\n" + ([(pool.isWAN ? "WAN" : "\(pool.datacenter) (LAN)") + ":"] + lines).joined(separator: "\n")
  }
}
