import ConsulClient
import Model

/// `consul acl role …`
enum ACLRoleCommands {
  static let group = CommandGroup(
    usage: "Usage: consul acl role <subcommand> [options] [args]",
    about: """
      Works with roles: policies and identities under a name, which tokens hold together.

          $ consul acl role create -name crawler -policy-name kv-read -service-identity web
          $ consul acl role list
      """,
    entries: [
      .command("create", "Makes a role") { create },
      .command("delete", "Deletes a role") { delete },
      .command("list", "Lists the roles") { list },
      .command("read", "Shows a role") { read },
      .command("update", "Changes a role") { update },
    ])

  private static let id = Flag.string("id", "Id of the role, or as much of it as makes it unambiguous.")
  private static let name = Flag.string("name", "Name of the role.")
  private static let description = Flag.optional("description", placeholder: "string", "What the role is for.")
  private static let noMerge = Flag.bool(
    "no-merge", "Replace everything by what the flags say, instead of adding to what is there.")
  private static let output = ClientFlags.tenancy + [ACLFormat.flag.any, ACLFormat.meta.any]
  private static let contents =
    [description.any, ACLFlags.policyID.any, ACLFlags.policyName.any] + ACLFlags.identities

  private static func show(_ role: ACLRole, _ invocation: Invocation) throws {
    try ACLFormat(invocation).print(
      ACLFormat.json(role), ACLFormat.text(role, showsMeta: invocation[ACLFormat.meta]), invocation.console)
  }

  /// What the flags give.
  private static func given(_ invocation: Invocation) async throws -> ACLRole {
    var role = ACLRole()
    role.description = invocation[description] ?? ""
    role.serviceIdentities = try ACLFlags.services(invocation[ACLFlags.serviceIdentity])
    role.nodeIdentities = try ACLFlags.nodes(invocation[ACLFlags.nodeIdentity])
    role.templatedPolicies = try ACLFlags.templates(invocation)
    role.policies = try await ACLFlags.policies(
      invocation, invocation[ACLFlags.policyID], invocation[ACLFlags.policyName])
    return role
  }

  static var create: Command {
    Command(
      usage: "Usage: consul acl role create -name NAME [options]",
      about: """
        Makes a role.

            $ consul acl role create -name crawler -policy-name kv-read -service-identity "web:dc1,dc2"
        """,
      clientFlags: ClientFlags.query, flags: output + contents + [name.any]
    ) { invocation in
      guard !invocation[name].isEmpty else { throw CommandFailure("Missing required '-name' flag", showsHelp: true) }
      var role = try await given(invocation)
      role.name = invocation[name]
      if role.policies.isEmpty, role.serviceIdentities.isEmpty, role.nodeIdentities.isEmpty,
        role.templatedPolicies.isEmpty
      {
        throw CommandFailure(
          "Cannot create a role without specifying -policy-name, -policy-id, -service-identity, -node-identity, "
            + "-templated-policy-file or -templated-policy at least once")
      }
      let client = try invocation.client()
      let made = try await explaining("Failed to create new role") { [role] in try await client.acl.create(role) }
      try show(made, invocation)
      return 0
    }
  }

  static var read: Command {
    Command(
      usage: "Usage: consul acl role read [options] -id ROLE", about: "Shows a role, by its id or its name.",
      clientFlags: ClientFlags.query, flags: output + [id.any, name.any]
    ) { invocation in
      let (id, name) = (invocation[self.id], invocation[self.name])
      if id.isEmpty, name.isEmpty { throw CommandFailure("Must specify either the -id or -name parameters") }
      let client = try invocation.client()
      if !id.isEmpty {
        let full = try await explaining("Error determining role ID") { try await ACLLookup.roleID(id, invocation) }
        let role = try await explaining("Error reading role \(full.goQuoted)") {
          try await client.acl.role(id: full, invocation.queryOptions)
        }
        guard let role else { throw CommandFailure("Role not found with ID \(full.goQuoted)") }
        try show(role, invocation)
        return 0
      }
      let role = try await explaining("Error reading role \(name.goQuoted)") {
        try await client.acl.role(name: name, invocation.queryOptions)
      }
      guard let role else { throw CommandFailure("Role not found with name \(name.goQuoted)") }
      try show(role, invocation)
      return 0
    }
  }

  static var list: Command {
    Command(
      usage: "Usage: consul acl role list [options]", about: "Lists the roles.", clientFlags: ClientFlags.query,
      flags: output
    ) { invocation in
      let format = try ACLFormat(invocation)
      let client = try invocation.client()
      let roles = try await explaining("Failed to retrieve the role list") {
        try await client.acl.roles(invocation.queryOptions)
      }
      format.print(
        ACLFormat.json(roles), ACLFormat.text(roles, showsMeta: invocation[ACLFormat.meta]), invocation.console)
      return 0
    }
  }

  static var update: Command {
    Command(
      usage: "Usage: consul acl role update [options]",
      about: "Changes a role. What the flags give is added to what is there, unless -no-merge is given.",
      clientFlags: ClientFlags.query, flags: output + contents + [id.any, name.any, noMerge.any]
    ) { invocation in
      guard !invocation[id].isEmpty else {
        throw CommandFailure("Cannot update a role without specifying the -id parameter")
      }
      let id = try await explaining("Error determining role ID") {
        try await ACLLookup.roleID(invocation[self.id], invocation)
      }
      let client = try invocation.client()
      let current = try await explaining("Error when retrieving current role") { try await client.acl.role(id: id) }
      guard let current else { throw CommandFailure("Role not found with ID \(id.goQuoted)") }
      let given = try await given(invocation)
      var role = invocation[noMerge] ? given : merged(current, given, invocation)
      role.id = id
      role.name = invocation[name].isEmpty ? current.name : invocation[name]
      let changed = try await explaining("Error updating role \(id.goQuoted)") { [role] in
        try await client.acl.update(role)
      }
      try show(changed, invocation)
      return 0
    }
  }

  private static func merged(_ current: ACLRole, _ given: ACLRole, _ invocation: Invocation) -> ACLRole {
    var role = current
    if let description = invocation[description] { role.description = description }
    role.policies += given.policies.filter { link in
      !current.policies.contains { $0.id == link.id || $0.name == link.name && !link.name.isEmpty }
    }
    role.serviceIdentities += given.serviceIdentities.filter { !current.serviceIdentities.contains($0) }
    role.nodeIdentities += given.nodeIdentities.filter { !current.nodeIdentities.contains($0) }
    role.templatedPolicies += given.templatedPolicies
    return role
  }

  static var delete: Command {
    Command(
      usage: "Usage: consul acl role delete [options] -id ROLE", about: "Deletes a role, by its id or its name.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [id.any, name.any]
    ) { invocation in
      let (given, name) = (invocation[id], invocation[self.name])
      if given.isEmpty, name.isEmpty { throw CommandFailure("Must specify the -id or -name parameters") }
      let client = try invocation.client()
      let id = try await explaining("Error determining role ID") {
        if !given.isEmpty { return try await ACLLookup.roleID(given, invocation) }
        guard let role = try await client.acl.role(name: name) else {
          throw CommandFailure("No such role with name \(name)")
        }
        return role.id
      }
      try await explaining("Error deleting role \(id.goQuoted)") { try await client.acl.deleteRole(id) }
      invocation.console.out("Role \(id.goQuoted) deleted successfully")
      return 0
    }
  }
}
