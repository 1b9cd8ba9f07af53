import ConsulClient
import Model

/// `consul acl token …`
enum ACLTokenCommands {
  static let group = CommandGroup(
    usage: "Usage: consul acl token <subcommand> [options] [args]",
    about: """
      Works with tokens: secrets and what they may do.

          $ consul acl token create -description "reads keys" -policy-name kv-read
          $ consul acl token read -self
          $ consul acl token list
      """,
    entries: [
      .command("clone", "Makes a token like another") { clone },
      .command("create", "Makes a token") { create },
      .command("delete", "Deletes a token") { delete },
      .command("list", "Lists the tokens") { list },
      .command("read", "Shows a token") { read },
      .command("update", "Changes a token") { update },
    ])

  private static let accessor = Flag.string(
    "accessor-id", "Accessor of the token, or as much of it as makes it unambiguous; anonymous is one, too.")
  private static let oldID = Flag.string("id", "The former name of -accessor-id.")
  private static let ownAccessor = Flag.string("accessor", "Accessor that the token is to have; random without it.")
  private static let secret = Flag.string("secret", "Secret that the token is to have; random without it.")
  private static let description = Flag.optional("description", placeholder: "string", "What the token is for.")
  private static let local = Flag.bool("local", "Make the token known in this datacenter only.")
  private static let expiresTTL = Flag.duration("expires-ttl", "How long the token is valid.")
  private static let isSelf = Flag.bool("self", "The token that the command is run with.")
  private static let expanded = Flag.bool("expanded", "With all policies and roles that the token comes to.")
  private static let output = ClientFlags.tenancy + [ACLFormat.flag.any, ACLFormat.meta.any]
  private static let contents =
    [
      description.any, ACLFlags.policyID.any, ACLFlags.policyName.any, ACLFlags.roleID.any, ACLFlags.roleName.any,
    ] + ACLFlags.identities

  private static func show(_ token: ACLToken, _ invocation: Invocation) throws {
    try ACLFormat(invocation).print(
      ACLFormat.json(token), ACLFormat.text(token, showsMeta: invocation[ACLFormat.meta]), invocation.console)
  }

  /// The accessor that the flags name; "" when they name none.
  private static func accessorWord(_ invocation: Invocation, warning: String) -> String {
    if !invocation[accessor].isEmpty { return invocation[accessor] }
    if !invocation[oldID].isEmpty { invocation.console.err(warning) }
    return invocation[oldID]
  }

  private static let hint = "Use the -accessor-id parameter to specify token by Accessor ID"

  // MARK: create

  static var create: Command {
    Command(
      usage: "Usage: consul acl token create [options]",
      about: """
        Makes a token.

            $ consul acl token create -description "reads keys" -policy-name kv-read
            $ consul acl token create -service-identity web -expires-ttl 8h
        """,
      clientFlags: ClientFlags.query,
      flags: output + contents + [ownAccessor.any, secret.any, local.any, expiresTTL.any]
    ) { invocation in
      var token = ACLToken()
      token.description = invocation[description] ?? ""
      token.local = invocation[local]
      token.accessorID = invocation[ownAccessor]
      token.secretID = Secret(invocation[secret])
      token.expirationTTL = invocation[expiresTTL]
      token.serviceIdentities = try ACLFlags.services(invocation[ACLFlags.serviceIdentity])
      token.nodeIdentities = try ACLFlags.nodes(invocation[ACLFlags.nodeIdentity])
      token.templatedPolicies = try ACLFlags.templates(invocation)
      token.policies = try await ACLFlags.policies(
        invocation, invocation[ACLFlags.policyID], invocation[ACLFlags.policyName])
      token.roles = try await ACLFlags.roles(invocation, invocation[ACLFlags.roleID], invocation[ACLFlags.roleName])
      guard hasRights(token) else {
        throw CommandFailure(
          "Cannot create a token without specifying -policy-name, -policy-id, -role-name, -role-id, -service-identity, "
            + "-node-identity, -templated-policy, or -templated-policy-file at least once")
      }
      let client = try invocation.client()
      let made = try await explaining("Failed to create new token") { [token] in try await client.acl.create(token) }
      try show(made, invocation)
      return 0
    }
  }

  private static func hasRights(_ token: ACLToken) -> Bool {
    !(token.policies.isEmpty && token.roles.isEmpty && token.serviceIdentities.isEmpty && token.nodeIdentities.isEmpty
      && token.templatedPolicies.isEmpty)
  }

  static var clone: Command {
    Command(
      usage: "Usage: consul acl token clone [options]",
      about: "Makes a token with the rights of another and a secret of its own.",
      clientFlags: ClientFlags.query, flags: output + [accessor.any, oldID.any, description.any]
    ) { invocation in
      let word = accessorWord(
        invocation, warning: "The -id parameter is deprecated. Use the -accessor-id parameter instead.")
      guard !word.isEmpty else {
        throw CommandFailure("Cannot update a token without specifying the -accessor-id parameter")
      }
      let id = try await explaining("Error determining token ID") { try await ACLLookup.accessor(word, invocation) }
      let client = try invocation.client()
      let text = invocation[description] ?? ""
      let copy = try await explaining("Error cloning token") {
        try await client.acl.clone(accessor: id, description: text)
      }
      try show(copy, invocation)
      return 0
    }
  }

  // MARK: read

  static var read: Command {
    Command(
      usage: "Usage: consul acl token read [options] -accessor-id TOKEN", about: "Shows a token.",
      clientFlags: ClientFlags.query, flags: output + [accessor.any, oldID.any, isSelf.any, expanded.any]
    ) { invocation in
      let client = try invocation.client()
      if invocation[isSelf] {
        if invocation[expanded] {
          throw CommandFailure(
            "Cannot use both -expanded and -self. Instead, use -expanded and -accessor-id=<accessor id>.")
        }
        let token = try await explaining("Error reading token") {
          try await client.acl.ownToken(invocation.queryOptions)
        }
        try show(token, invocation)
        return 0
      }
      let word = accessorWord(invocation, warning: hint)
      guard !word.isEmpty else { throw CommandFailure("Must specify the -accessor-id parameter") }
      let id = try await explaining("Error determining token ID") { try await ACLLookup.accessor(word, invocation) }
      let failure = "Error reading token \(id.goQuoted)"
      if invocation[expanded] {
        let json = try await explaining(failure) {
          try await client.acl.expandedToken(accessor: id, invocation.queryOptions)
        }
        try showExpanded(json, invocation)
        return 0
      }
      let token = try await explaining(failure) { try await client.acl.token(accessor: id, invocation.queryOptions) }
      try show(token, invocation)
      return 0
    }
  }

  private static func showExpanded(_ json: Dynamic, _ invocation: Invocation) throws {
    let text = try ExpandedTokenText(json)
    var shown = json.object ?? DynamicObject()
    if let policies = shown["ExpandedPolicies"]?.array {
      shown["ExpandedPolicies"] = .array(
        policies.map { policy in
          guard var object = policy.object, object["Datacenters"] == nil else { return policy }
          object["Datacenters"] = .null
          return .object(object)
        })
    }
    try ACLFormat(invocation).print(
      .object(shown), text.text(showsMeta: invocation[ACLFormat.meta]), invocation.console)
  }

  static var list: Command {
    Command(
      usage: "Usage: consul acl token list [options]", about: "Lists the tokens.", clientFlags: ClientFlags.query,
      flags: output
    ) { invocation in
      let format = try ACLFormat(invocation)
      let client = try invocation.client()
      let tokens = try await explaining("Failed to retrieve the token list") {
        try await client.acl.tokens(invocation.queryOptions)
      }
      format.print(
        ACLFormat.json(tokens), ACLFormat.text(tokens, showsMeta: invocation[ACLFormat.meta]), invocation.console)
      return 0
    }
  }

  static var delete: Command {
    Command(
      usage: "Usage: consul acl token delete [options] -accessor-id TOKEN", about: "Deletes a token.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [accessor.any, oldID.any]
    ) { invocation in
      let word = accessorWord(invocation, warning: hint)
      guard !word.isEmpty else { throw CommandFailure("Must specify the -accessor-id parameter") }
      let id = try await explaining("Error determining token ID") { try await ACLLookup.accessor(word, invocation) }
      let client = try invocation.client()
      try await explaining("Error deleting token \(id.goQuoted)") { try await client.acl.deleteToken(id) }
      invocation.console.out("Token \(id.goQuoted) deleted successfully")
      return 0
    }
  }

  // MARK: update

  private static let appendPolicyID = Flag.strings("append-policy-id", "Id of a policy to add.")
  private static let appendPolicyName = Flag.strings("append-policy-name", "Name of a policy to add.")
  private static let appendRoleID = Flag.strings("append-role-id", "Id of a role to add.")
  private static let appendRoleName = Flag.strings("append-role-name", "Name of a role to add.")
  private static let appendService = Flag.strings("append-service-identity", "Service identity to add.")
  private static let appendNode = Flag.strings("append-node-identity", "Node identity to add.")
  private static let appendTemplate = Flag.string("append-templated-policy", "Templated policy to add.")
  private static let noMerge = ["policies", "roles", "service-identities", "node-identities"].map {
    Flag.bool("merge-\($0)", "Add what is given instead of replacing it (the former name of -append-…).")
  }

  static var update: Command {
    Command(
      usage: "Usage: consul acl token update [options]",
      about: """
        Changes a token. Policies and roles that are given take the place of those that the token has, service and node
        identities always do; the flags that begin with -append add instead.

            $ consul acl token update -accessor-id 986193 -description "reads all keys" -append-policy-name kv-read
        """,
      clientFlags: ClientFlags.query,
      flags: output + contents + noMerge.map(\.any) + [
        accessor.any, oldID.any, appendPolicyID.any, appendPolicyName.any, appendRoleID.any, appendRoleName.any,
        appendService.any, appendNode.any, appendTemplate.any,
      ]
    ) { invocation in
      let word = accessorWord(invocation, warning: hint)
      guard !word.isEmpty else {
        throw CommandFailure("Cannot update a token without specifying the -accessor-id parameter")
      }
      let id = try await explaining("Error determining token ID") { try await ACLLookup.accessor(word, invocation) }
      let client = try invocation.client()
      var token = try await explaining("Error when retrieving current token") {
        try await client.acl.token(accessor: id)
      }
      if let description = invocation[description] { token.description = description }
      try await change(&token, invocation)
      let changed = try await explaining("Failed to update token \(id)") { [token] in try await client.acl.update(token)
      }
      try show(changed, invocation)
      return 0
    }
  }

  private static func change(_ token: inout ACLToken, _ invocation: Invocation) async throws {
    let policies = try await ACLFlags.policies(
      invocation, invocation[ACLFlags.policyID], invocation[ACLFlags.policyName])
    if !policies.isEmpty { token.policies = (invocation[noMerge[0]] ? token.policies : []) + policies }
    token.policies += try await ACLFlags.policies(invocation, invocation[appendPolicyID], invocation[appendPolicyName])
    let roles = try await ACLFlags.roles(invocation, invocation[ACLFlags.roleID], invocation[ACLFlags.roleName])
    if !roles.isEmpty { token.roles = (invocation[noMerge[1]] ? token.roles : []) + roles }
    token.roles += try await ACLFlags.roles(invocation, invocation[appendRoleID], invocation[appendRoleName])
    let services = try ACLFlags.services(invocation[appendService])
    let keepsServices = invocation[noMerge[2]] || !services.isEmpty
    token.serviceIdentities =
      (keepsServices ? token.serviceIdentities : []) + services
      + (try ACLFlags.services(invocation[ACLFlags.serviceIdentity]))
    let nodes = try ACLFlags.nodes(invocation[appendNode])
    let keepsNodes = invocation[noMerge[3]] || !nodes.isEmpty
    token.nodeIdentities =
      (keepsNodes ? token.nodeIdentities : []) + nodes + (try ACLFlags.nodes(invocation[ACLFlags.nodeIdentity]))
    let templates = try ACLFlags.templates(invocation)
    if !templates.isEmpty { token.templatedPolicies = templates }
    if !invocation[appendTemplate].isEmpty {
      var policy = ACLTemplatedPolicy()
      policy.templateName = invocation[appendTemplate]
      policy.templateVariables = try ACLFlags.variables(invocation[ACLFlags.variable])
      token.templatedPolicies.append(policy)
    }
  }
}
