import ConsulClient
import Model

/// `consul acl policy …`
enum ACLPolicyCommands {
  static let group = CommandGroup(
    usage: "Usage: consul acl policy <subcommand> [options] [args]",
    about: """
      Works with policies: rules under a name, which tokens and roles hold.

          $ consul acl policy create -name web -rules @web.hcl
          $ consul acl policy read -name web
          $ consul acl policy list
      """,
    entries: [
      .command("create", "Makes a policy") { create },
      .command("delete", "Deletes a policy") { delete },
      .command("list", "Lists the policies") { list },
      .command("read", "Shows a policy") { read },
      .command("update", "Changes a policy") { update },
    ])

  private static let id = Flag.string("id", "Id of the policy, or as much of it as makes it unambiguous.")
  private static let name = Flag.string("name", "Name of the policy.")
  private static let description = Flag.optional("description", placeholder: "string", "What the policy is for.")
  private static let datacenter = Flag.strings(
    "valid-datacenter", "Datacenter in which the policy is valid; may be given several times. Without it, in all.")
  private static let rules = Flag.optional(
    "rules", placeholder: "string", "The rules; @PATH reads them from a file, - from standard input.")
  private static let noMerge = Flag.bool(
    "no-merge", "Replace everything by what the flags say, instead of keeping what they do not mention.")

  private static func load(_ argument: String, _ invocation: Invocation) throws -> String {
    do {
      return String(decoding: try invocation.data(of: argument), as: UTF8.self)
    } catch {
      throw CommandFailure("Error loading rules: Failed to read file: \(error)")
    }
  }

  private static func show(_ policy: ACLPolicy, _ invocation: Invocation) throws {
    try ACLFormat(invocation).print(
      ACLFormat.json(policy), ACLFormat.text(policy, showsMeta: invocation[ACLFormat.meta]), invocation.console)
  }

  private static let output = ClientFlags.tenancy + [ACLFormat.flag.any, ACLFormat.meta.any]

  static var create: Command {
    Command(
      usage: "Usage: consul acl policy create -name NAME [options]",
      about: """
        Makes a policy.

            $ consul acl policy create -name web -description "the web service" -rules @web.hcl
        """,
      clientFlags: ClientFlags.query,
      flags: output + [name.any, description.any, datacenter.any, rules.any]
    ) { invocation in
      guard !invocation[name].isEmpty else { throw CommandFailure("Missing required '-name' flag", showsHelp: true) }
      var policy = ACLPolicy()
      policy.name = invocation[name]
      policy.description = invocation[description] ?? ""
      policy.datacenters = invocation[datacenter]
      policy.rules = try load(invocation[rules] ?? "", invocation)
      let client = try invocation.client()
      let made = try await explaining("Failed to create new policy") { [policy] in try await client.acl.create(policy) }
      try show(made, invocation)
      for warning in ACLWarnings.of(made.rules) { invocation.console.err("Warning: \(warning)") }
      return 0
    }
  }

  static var read: Command {
    Command(
      usage: "Usage: consul acl policy read [options] -id POLICY", about: "Shows a policy, by its id or its name.",
      clientFlags: ClientFlags.query, flags: output + [id.any, name.any]
    ) { invocation in
      let client = try invocation.client()
      if !invocation[id].isEmpty {
        let id = try await explaining("Error determining policy ID") {
          try await ACLLookup.policyID(invocation[self.id], invocation)
        }
        let policy = try await explaining("Error reading policy \"id:\(id)\"") {
          try await client.acl.policy(id: id, invocation.queryOptions)
        }
        try show(policy, invocation)
        return 0
      }
      let name = invocation[self.name]
      guard !name.isEmpty else { throw CommandFailure("Must specify either the -id or -name parameters") }
      let policy = try await explaining("Error reading policy \"name:\(name)\"") {
        try await client.acl.policy(name: name, invocation.queryOptions)
      }
      guard let policy else { throw CommandFailure("Error policy not found: \(name)") }
      try show(policy, invocation)
      return 0
    }
  }

  static var list: Command {
    Command(
      usage: "Usage: consul acl policy list [options]", about: "Lists the policies, without their rules.",
      clientFlags: ClientFlags.query, flags: output
    ) { invocation in
      let format = try ACLFormat(invocation)
      let client = try invocation.client()
      let policies = try await explaining("Failed to retrieve the policy list") {
        try await client.acl.policies(invocation.queryOptions)
      }
      format.print(
        ACLFormat.json(policies), ACLFormat.text(policies, showsMeta: invocation[ACLFormat.meta]), invocation.console)
      return 0
    }
  }

  /// The id that the flags name, directly or by a policy's name.
  private static func identify(_ invocation: Invocation) async throws -> String {
    let (id, name) = (invocation[self.id], invocation[self.name])
    if id.isEmpty, name.isEmpty { throw CommandFailure("Must specify either the -id or -name parameters") }
    return try await explaining("Error determining policy ID") {
      if !id.isEmpty { return try await ACLLookup.policyID(id, invocation) }
      let all = try await invocation.client().acl.policies()
      guard let found = all.first(where: { $0.name == name }) else {
        throw CommandFailure("No such policy with name: \(name)")
      }
      return found.id
    }
  }

  static var update: Command {
    Command(
      usage: "Usage: consul acl policy update [options]",
      about: """
        Changes a policy. What the flags do not mention stays, unless -no-merge is given. With -id, -name renames it.

            $ consul acl policy update -name web -description "the web service and its workers"
        """,
      clientFlags: ClientFlags.query,
      flags: output + [id.any, name.any, description.any, datacenter.any, rules.any, noMerge.any]
    ) { invocation in
      let id = try await identify(invocation)
      let given = try invocation[rules].map { try load($0, invocation) }
      let client = try invocation.client()
      var policy = ACLPolicy()
      if !invocation[noMerge] {
        policy = try await explaining("Error when retrieving current policy") { try await client.acl.policy(id: id) }
      }
      policy.id = id
      if !invocation[name].isEmpty { policy.name = invocation[name] }
      if let description = invocation[description] { policy.description = description }
      if let given { policy.rules = given }
      if !invocation[datacenter].isEmpty { policy.datacenters = invocation[datacenter] }
      let changed = try await explaining("Error updating policy") { [policy] in try await client.acl.update(policy) }
      try show(changed, invocation)
      return 0
    }
  }

  static var delete: Command {
    Command(
      usage: "Usage: consul acl policy delete [options] -id POLICY", about: "Deletes a policy, by its id or its name.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [id.any, name.any]
    ) { invocation in
      let id = try await identify(invocation)
      let client = try invocation.client()
      try await explaining("Error deleting policy \(id.goQuoted)") {
        try await client.acl.deletePolicy(id)
      } unless: { error in
        // The reference shows the status alone here, and scripts compare the line.
        guard case ClientError.unexpectedStatus(let code, _) = error else { return nil }
        return CommandFailure("Error deleting policy \(id.goQuoted): Unexpected response code: \(code) ()")
      }
      invocation.console.out("Policy \(id.goQuoted) deleted successfully")
      return 0
    }
  }
}
