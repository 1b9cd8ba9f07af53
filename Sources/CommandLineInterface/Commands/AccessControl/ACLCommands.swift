import ConsulClient

/// `consul acl …`: access control.
enum ACLCommands {
  static let group = CommandGroup(
    usage: "Usage: consul acl <subcommand> [options] [args]",
    about: """
      Works with access control: who may do what.

      The first token of a cluster, which may do everything:

          $ consul acl bootstrap

      A policy, and a token that has it:

          $ consul acl policy create -name kv-read -rules 'key_prefix "" { policy = "read" }'
          $ consul acl token create -description "reads keys" -policy-name kv-read

      A token for an agent's own work:

          $ consul acl set-agent-token agent 2fb6cc57-6d4f-4d51-9b5e-27e1ac5ae8b8

      Each subcommand explains its options with -h.
      """,
    entries: [
      .group("auth-method", "Works with auth methods", ACLAuthMethodCommands.group),
      .group("binding-rule", "Works with binding rules", ACLBindingRuleCommands.group),
      .command("bootstrap", "Makes the first token of a cluster") { bootstrap },
      .command("explain", "Says why a token may or may not do something") { explain },
      .group("policy", "Works with policies", ACLPolicyCommands.group),
      .group("role", "Works with roles", ACLRoleCommands.group),
      .command("set-agent-token", "Gives an agent one of its own tokens") { setAgentToken },
      .group("templated-policy", "Shows templates of policies", ACLTemplateCommands.group),
      .group("token", "Works with tokens", ACLTokenCommands.group),
    ])

  static var bootstrap: Command {
    Command(
      usage: "Usage: consul acl bootstrap [options] [FILE]",
      about: """
        Makes the first token of a cluster, which may do everything. It works once. FILE holds the secret that the token is
        to have; "-" reads it from standard input; without it a random one is made.
        """,
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [ACLFormat.flag.any]
    ) { invocation in
      let format = try ACLFormat(invocation)
      var secret = ""
      if let file = invocation.arguments.first {
        do {
          secret = String(decoding: try invocation.data(of: file == "-" ? file : "@" + file), as: UTF8.self).trimmed
        } catch {
          throw CommandFailure("Error reading bootstrap secret: \(error)")
        }
      }
      let client = try invocation.client()
      let token = try await explaining("Failed ACL bootstrapping") { try await client.acl.bootstrap(secret: secret) }
      format.print(ACLFormat.json(token), ACLFormat.text(token, showsMeta: false), invocation.console)
      return 0
    }
  }

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
