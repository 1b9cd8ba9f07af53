import Model

/// How a token is printed with everything that decides about a request with it, layer by layer.
struct ExpandedTokenText {
  private let token: ACLToken
  private let policies: [ACLPolicy]
  private let roles: [ACLRole]
  private let json: Dynamic

  init(_ json: Dynamic) throws(DecodingError) {
    self.json = json
    token = try ACLToken(from: json, DecodingContext(.api))
    policies = try [ACLPolicy](from: json["ExpandedPolicies"] ?? .null, DecodingContext(.api))
    roles = try [ACLRole](from: json["ExpandedRoles"] ?? .null, DecodingContext(.api))
  }

  private func text(_ name: String) -> String { json[name]?.string ?? "" }

  func text(showsMeta: Bool) -> String {
    var lines = ACLFormat.head(token)
    if showsMeta {
      lines += [
        "Hash:             \(ACLFormat.hexadecimal(token.hash))", "Create Index:     \(token.createIndex)",
        "Modify Index:     \(token.modifyIndex)",
      ]
    }
    lines += section("Policies", token.policies, indent: "")
    lines += identities(token.serviceIdentities, token.nodeIdentities, token.templatedPolicies, indent: "")
    if !roles.isEmpty { lines.append("Roles:") }
    for role in roles {
      lines += ["\tRole Name: \(role.name)", "\t\tID: \(role.id)", "\t\tDescription: \(role.description)"]
      lines += section("Policies", role.policies, indent: "\t\t")
      lines += identities(role.serviceIdentities, role.nodeIdentities, role.templatedPolicies, indent: "\t\t")
    }
    lines += ["=== End of Authorizer Layer 0: Token ==="]
    lines += [
      "=== Start of Authorizer Layer 2: Agent Configuration Defaults (Inherited) ===",
      "Description: Defined at request-time by the agent that resolves the ACL token; other agents may have different "
        + "configuration defaults",
      "Resolved By Agent: \"\(text("ResolvedByAgent"))\"", "",
      "Default Policy: \(text("AgentACLDefaultPolicy"))",
      "\tDescription: Backstop rule used if no preceding layer has a matching rule (refer to default_policy option in "
        + "agent configuration)",
      "", "Down Policy: \(text("AgentACLDownPolicy"))",
      "\tDescription: Defines what to do if this Token's information cannot be read from the primary_datacenter (refer to "
        + "down_policy option in agent configuration)",
      "",
    ]
    return lines.map { $0 + "\n" }.joined()
  }

  private func section(_ title: String, _ links: [ACLLink], indent: String) -> [String] {
    if links.isEmpty { return [] }
    return ["\(indent)\(title):"]
      + links.flatMap { link in
        policies.first { $0.id == link.id }.map { policy in show(policy, "Policy Name: \(policy.name)", indent) } ?? []
      }
  }

  private func show(_ policy: ACLPolicy, _ title: String, _ indent: String) -> [String] {
    var lines = ["\(indent)\t\(title)"]
    lines += ["\(indent)\t\tID: \(policy.id)", "\(indent)\t\tDescription: \(policy.description)"]
    if !policy.datacenters.isEmpty {
      lines.append("\(indent)\t\tDatacenters: \(policy.datacenters.joined(separator: ", "))")
    }
    lines.append("\(indent)\t\tRules:")
    lines += policy.rules.split(separator: "\n", omittingEmptySubsequences: false).map { "\(indent)\t\t\t\($0)" }
    return lines + [""]
  }

  private func identities(
    _ services: [ACLServiceIdentity], _ nodes: [ACLNodeIdentity], _ templates: [ACLTemplatedPolicy], indent: String
  ) -> [String] {
    var lines: [String] = []
    if !services.isEmpty { lines.append("\(indent)Service Identities:") }
    for identity in services {
      lines.append("\(indent)\tName: \(identity.serviceName) (Datacenters: \(Self.places(identity.datacenters)))")
    }
    if !nodes.isEmpty { lines.append("\(indent)Node Identities:") }
    for identity in nodes { lines.append("\(indent)\tName: \(identity.nodeName) (Datacenter: \(identity.datacenter))") }
    if !templates.isEmpty { lines.append("\(indent)Templated Policies:") }
    for template in templates {
      lines.append("\(indent)\t\(template.templateName) (Datacenters: \(Self.places(template.datacenters)))")
    }
    return lines
  }

  private static func places(_ names: [String]) -> String { names.isEmpty ? "all" : names.joined(separator: ", ") }
}
