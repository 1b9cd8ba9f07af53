import ConsulClient
import Model

/// `consul acl binding-rule …`
enum ACLBindingRuleCommands {
  static let group = CommandGroup(
    usage: "Usage: consul acl binding-rule <subcommand> [options] [args]",
    about: """
      Works with binding rules: what those get who log in through an auth method.

          $ consul acl binding-rule create -method cluster-1 -bind-type service -bind-name '${serviceaccount.name}' \\
              -selector 'serviceaccount.namespace==default'
          $ consul acl binding-rule list
      """,
    entries: [
      .command("create", "Makes a binding rule") { create },
      .command("delete", "Deletes a binding rule") { delete },
      .command("list", "Lists the binding rules") { list },
      .command("read", "Shows a binding rule") { read },
      .command("update", "Changes a binding rule") { update },
    ])

  private static let id = Flag.string("id", "Id of the rule, or as much of it as makes it unambiguous.")
  private static let method = Flag.string("method", "Auth method that the rule belongs to.")
  private static let description = Flag.optional("description", placeholder: "string", "What the rule is for.")
  private static let bindType = Flag.string(
    "bind-type", default: "service", "What is given: service, node, role, policy or templated-policy.")
  private static let givenBindType = Flag.optional(
    "bind-type", placeholder: "string", "What is given: service, node, role, policy or templated-policy.")
  private static let bindName = Flag.string(
    "bind-name", "Its name; ${…} stands for an attribute of whoever logs in.")
  private static let bindVars = Flag.map(
    "bind-vars", "What a templated policy asks for, as name=VALUE; ${…} stands for an attribute.")
  private static let selector = Flag.optional(
    "selector", placeholder: "string", "Whom the rule fits, as a filter expression; all without it.")
  private static let noMerge = Flag.bool(
    "no-merge", "Replace everything by what the flags say, instead of changing what is there.")

  private static let output = ClientFlags.tenancy + [ACLFormat.flag.any, ACLFormat.meta.any]
  private static let contents = [description.any, bindName.any, bindVars.any, selector.any]

  private static func show(_ rule: ACLBindingRule, _ invocation: Invocation) throws {
    try ACLFormat(invocation).print(
      ACLAuthMethodFormat.json(rule), ACLAuthMethodFormat.text(rule, showsMeta: invocation[ACLFormat.meta]),
      invocation.console)
  }

  /// Nil when there are none.
  private static func variables(_ invocation: Invocation) throws -> ACLTemplatedPolicyVariables? {
    let words = invocation[bindVars]
    if words.isEmpty { return nil }
    var variables = ACLTemplatedPolicyVariables()
    for (name, value) in words where name.lowercased() == "name" { variables.name = value }
    return variables
  }

  static var create: Command {
    Command(
      usage: "Usage: consul acl binding-rule create [options]",
      about: """
        Makes a binding rule.

            $ consul acl binding-rule create -method cluster-1 -bind-type service -bind-name '${serviceaccount.name}'
        """,
      clientFlags: ClientFlags.query, flags: output + contents + [method.any, bindType.any]
    ) { invocation in
      if invocation[method].isEmpty { throw CommandFailure("Missing required '-method' flag", showsHelp: true) }
      if invocation[bindType].isEmpty { throw CommandFailure("Missing required '-bind-type' flag", showsHelp: true) }
      if invocation[bindName].isEmpty { throw CommandFailure("Missing required '-bind-name' flag", showsHelp: true) }
      var rule = ACLBindingRule()
      rule.authMethod = invocation[method]
      rule.description = invocation[description] ?? ""
      rule.bindType = invocation[bindType]
      rule.bindName = invocation[bindName]
      rule.bindVars = try variables(invocation)
      rule.selector = invocation[selector] ?? ""
      let client = try invocation.client()
      let made = try await explaining("Failed to create new binding rule") { [rule] in
        try await client.acl.create(rule)
      }
      try show(made, invocation)
      return 0
    }
  }

  /// Ids may be shortened as long as they stay unambiguous.
  private static func fullID(_ id: String, _ invocation: Invocation) async throws -> String {
    if id.count == 36 { return id }
    let found = try await invocation.client().acl.bindingRules().map(\.id).filter { $0.hasPrefix(id) }
    guard let first = found.first else { throw CommandFailure("No such rule ID with prefix: \(id)") }
    if found.count > 1 { throw CommandFailure("Rule ID prefix is not unique: \(id)") }
    return first
  }

  private static func find(_ id: String, _ invocation: Invocation, _ failure: String) async throws -> ACLBindingRule {
    let id = try await explaining("Error determining binding rule ID") { try await fullID(id, invocation) }
    let client = try invocation.client()
    let found = try await explaining("\(failure) \(id.goQuoted)") {
      try await client.acl.bindingRule(id, invocation.queryOptions)
    }
    guard let found else { throw CommandFailure("Binding rule not found with ID \(id.goQuoted)") }
    return found
  }

  static var read: Command {
    Command(
      usage: "Usage: consul acl binding-rule read -id ID [options]", about: "Shows a binding rule.",
      clientFlags: ClientFlags.query, flags: output + [id.any]
    ) { invocation in
      if invocation[id].isEmpty { throw CommandFailure("Must specify the -id parameter.") }
      try show(try await find(invocation[id], invocation, "Error reading binding rule"), invocation)
      return 0
    }
  }

  static var list: Command {
    Command(
      usage: "Usage: consul acl binding-rule list [options]",
      about: "Lists the binding rules, all or those of the auth method -method.",
      clientFlags: ClientFlags.query, flags: output + [method.any]
    ) { invocation in
      let format = try ACLFormat(invocation)
      let client = try invocation.client()
      let rules = try await explaining("Failed to retrieve the binding rule list") {
        try await client.acl.bindingRules(authMethod: invocation[method], invocation.queryOptions)
      }
      if rules.isEmpty, format == .pretty { return 0 }
      format.print(
        .array(rules.map(ACLAuthMethodFormat.json)),
        ACLAuthMethodFormat.text(rules, showsMeta: invocation[ACLFormat.meta]), invocation.console)
      return 0
    }
  }

  static var update: Command {
    Command(
      usage: "Usage: consul acl binding-rule update -id ID [options]",
      about: "Changes a binding rule: what the flags say, and nothing else unless -no-merge is given.",
      clientFlags: ClientFlags.query, flags: output + contents + [id.any, givenBindType.any, noMerge.any]
    ) { invocation in
      if invocation[id].isEmpty {
        throw CommandFailure("Cannot update a binding rule without specifying the -id parameter")
      }
      var rule = try await find(invocation[id], invocation, "Error when retrieving current binding rule")
      if invocation[noMerge] {
        let type = invocation[givenBindType] ?? "service"
        if type.isEmpty { throw CommandFailure("Missing required '-bind-type' flag", showsHelp: true) }
        if invocation[bindName].isEmpty { throw CommandFailure("Missing required '-bind-name' flag", showsHelp: true) }
        var new = ACLBindingRule()
        (new.id, new.authMethod, new.bindType) = (rule.id, rule.authMethod, type)
        rule = new
      }
      if let text = invocation[description] { rule.description = text }
      if let text = invocation[selector] { rule.selector = text }
      if let type = invocation[givenBindType], !type.isEmpty { rule.bindType = type }
      if !invocation[bindName].isEmpty { rule.bindName = invocation[bindName] }
      if let variables = try variables(invocation) { rule.bindVars = variables }
      let client = try invocation.client()
      let changed = try await explaining("Error updating binding rule \(rule.id.goQuoted)") { [rule] in
        try await client.acl.update(rule)
      }
      try show(changed, invocation)
      return 0
    }
  }

  static var delete: Command {
    Command(
      usage: "Usage: consul acl binding-rule delete -id ID [options]", about: "Deletes a binding rule.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [id.any]
    ) { invocation in
      if invocation[id].isEmpty { throw CommandFailure("Must specify the -id parameter") }
      let id = try await explaining("Error determining binding rule ID") {
        try await fullID(invocation[self.id], invocation)
      }
      let client = try invocation.client()
      try await explaining("Error deleting binding rule \(id.goQuoted)") { try await client.acl.deleteBindingRule(id) }
      invocation.console.out("Binding rule \(id.goQuoted) deleted successfully")
      return 0
    }
  }
}
