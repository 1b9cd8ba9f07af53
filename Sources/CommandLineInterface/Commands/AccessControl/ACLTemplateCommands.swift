import AccessControl
import ConsulClient
import Model

/// `consul acl templated-policy …`
enum ACLTemplateCommands {
  static let group = CommandGroup(
    usage: "Usage: consul acl templated-policy <subcommand> [options] [args]",
    about: """
      Shows templates of policies, which every cluster has, and what they make of their variables.

          $ consul acl templated-policy list
          $ consul acl templated-policy preview -name builtin/service -var name:api
      """,
    entries: [
      .command("list", "Lists the templates") { list },
      .command("preview", "Shows the policy that a template makes") { preview },
      .command("read", "Shows a template") { read },
    ])

  private static let name = Flag.string("name", "Name of the template, such as builtin/service.")
  private static let file = Flag.string("file", "File with a templated policy and its variables, in HCL or JSON.")

  static var list: Command {
    Command(
      usage: "Usage: consul acl templated-policy list [options]", about: "Lists the templates.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [ACLFormat.flag.any]
    ) { invocation in
      let format = try ACLFormat(invocation)
      let client = try invocation.client()
      let all = try await explaining("Failed to retrieve the templated policies list") {
        try await client.acl.templatedPolicies(invocation.queryOptions)
      }
      let names = (all.object ?? DynamicObject()).map { $0.key + "\n" }.joined()
      format.print(all, names, invocation.console)
      return 0
    }
  }

  static var read: Command {
    Command(
      usage: "Usage: consul acl templated-policy read [options] -name TEMPLATE",
      about: "Shows what a template asks for.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [ACLFormat.flag.any, ACLFormat.meta.any, name.any]
    ) { invocation in
      let format = try ACLFormat(invocation)
      let name = invocation[self.name]
      guard !name.isEmpty else { throw CommandFailure("Must specify the -name parameter") }
      let client = try invocation.client()
      let template = try await explaining("Error reading templated policy \(name.goQuoted)") {
        try await client.acl.templatedPolicy(name, invocation.queryOptions)
      }
      format.print(template, text(template, showsMeta: invocation[ACLFormat.meta]), invocation.console)
      return 0
    }
  }

  private static func text(_ template: Dynamic, showsMeta: Bool) -> String {
    let name = template["TemplateName"]?.string ?? ""
    var lines = ["Name:            \(name)", "Description:     \(template["Description"]?.string ?? "")"]
    let schema = template["Schema"]?.string ?? ""
    if schema.isEmpty {
      lines += ["Input variables: None", "Example usage:", "\tconsul acl token create -templated-policy \(name)"]
    } else {
      lines += [
        "Input variables:", "\tName: String - Required - \(meaning(of: name))", "Example usage:",
        "\tconsul acl token create -templated-policy \(name) -var name:\(name == "builtin/node" ? "node-1" : "api")",
      ]
    }
    if showsMeta {
      if !schema.isEmpty { lines += ["Schema:", schema, ""] }
      lines += ["Raw Template:", template["Template"]?.string ?? ""]
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func meaning(of template: String) -> String {
    switch template {
    case "builtin/node": "The node name."
    case "builtin/api-gateway": "The api gateway service name."
    default: "The name of the service."
    }
  }

  static var preview: Command {
    Command(
      usage: "Usage: consul acl templated-policy preview [options]",
      about: "Shows the policy that a template makes of its variables, or of those in a file.",
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [
        ACLFormat.flag.any, ACLFormat.meta.any, name.any, file.any, ACLFlags.variable.any,
      ]
    ) { invocation in
      let (name, file) = (invocation[self.name], invocation[self.file])
      if name.isEmpty, file.isEmpty {
        throw CommandFailure("Cannot preview a templated policy without specifying -name or -file")
      }
      if !name.isEmpty, !file.isEmpty {
        throw CommandFailure("Cannot specify both -name and -file")
      }
      var policy = ACLTemplatedPolicy()
      if file.isEmpty {
        policy.templateName = name
        policy.templateVariables = try ACLFlags.variables(invocation[ACLFlags.variable])
      } else {
        let found = try ACLFlags.templates(inFile: file)
        guard found.count == 1 else { throw CommandFailure("can only preview a single templated policy at a time") }
        policy = found[0]
      }
      let client = try invocation.client()
      let made = try await explaining("Failed to generate the templated policy preview") { [policy] in
        try await client.acl.preview(policy)
      }
      try ACLFormat(invocation).print(
        ACLFormat.json(made), ACLFormat.text(made, showsMeta: invocation[ACLFormat.meta]), invocation.console)
      return 0
    }
  }
}
