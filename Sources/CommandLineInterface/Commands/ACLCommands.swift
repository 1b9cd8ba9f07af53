import ConsulClient

/// `consul acl …`: access control.
enum ACLCommands {
  static let group = CommandGroup(
    usage: "Usage: consul acl <subcommand> [options] [args]",
    about: """
      Works with access control.

          $ consul acl set-agent-token default 2fb6cc57-6d4f-4d51-9b5e-27e1ac5ae8b8

      Each subcommand explains its options with -h.
      """,
    entries: [.command("set-agent-token", "Gives an agent one of its own tokens") { setAgentToken }])

  /// The agent's tokens, by the names of the API.
  private static let kinds = ["default", "agent", "recovery", "replication", "config_file_service_registration", "dns"]

  static var setAgentToken: Command {
    Command(
      usage: "Usage: consul acl set-agent-token [options] TYPE TOKEN",
      about: """
        Gives a running agent one of its own tokens. TYPE is default (for requests without a token), agent (for what the
        agent does itself), recovery, replication, config_file_service_registration or dns.
        """,
      clientFlags: ClientFlags.query
    ) { invocation in
      let words = invocation.arguments
      switch words.count {
      case 0: throw CommandFailure("Error! Missing TYPE and TOKEN arguments")
      case 1: throw CommandFailure("Error! Missing TOKEN argument")
      case 2: break
      default: throw CommandFailure("Error! Too many arguments (expected 2, got \(words.count))")
      }
      guard kinds.contains(words[0]) else { throw CommandFailure("Unknown token type") }
      let agent = try invocation.client().agent
      let name = words[0] == "recovery" ? "agent_recovery" : words[0]
      try await explaining("Failed to set ACL token \"\(words[0])\"") { try await agent.setToken(name, to: words[1]) }
      invocation.console.out("ACL token \"\(words[0])\" set successfully")
      return 0
    }
  }
}
