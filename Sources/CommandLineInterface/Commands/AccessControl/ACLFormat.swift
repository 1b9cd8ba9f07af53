import ConsulClient
import Model

/// How the commands of access control print records.
enum ACLFormat: Sendable {
  case pretty, json

  static let flag = Flag.string("format", default: "pretty", "How to print it: pretty or json.")
  static let meta = Flag.bool("meta", "Show the content hash and the indexes, too.")

  init(_ invocation: Invocation) throws {
    switch invocation[Self.flag] {
    case "pretty": self = .pretty
    case "json": self = .json
    case let other: throw CommandFailure("Unknown format: \(other)")
    }
  }

  /// Prints a value in one of the two forms.
  func print(_ json: @autoclosure () -> Dynamic, _ text: @autoclosure () -> String, _ console: Console) {
    switch self {
    case .pretty: console.out(text())
    case .json:
      let bytes = Array(json().json.utf8).withUnsafeBytes { prettyJSON($0) }
      console.out(String(decoding: bytes, as: UTF8.self).trimmed)
    }
  }

  static func hexadecimal(_ bytes: Bytes) -> String {
    bytes.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// As Go prints times.
  static func time(_ time: Timestamp) -> String {
    let text = time.description.replacing("T", with: " ").replacing("Z", with: "")
    return text + " +0000 UTC"
  }

  // MARK: what several records have

  private static func identities(
    _ services: [ACLServiceIdentity], _ nodes: [ACLNodeIdentity], _ templates: [ACLTemplatedPolicy], indent: String = ""
  ) -> [String] {
    var lines: [String] = []
    if !services.isEmpty { lines.append("\(indent)Service Identities:") }
    for identity in services {
      lines.append("\(indent)   \(identity.serviceName) (Datacenters: \(datacenters(identity.datacenters)))")
    }
    if !nodes.isEmpty { lines.append("\(indent)Node Identities:") }
    for identity in nodes { lines.append("\(indent)   \(identity.nodeName) (Datacenter: \(identity.datacenter))") }
    if !templates.isEmpty { lines.append("\(indent)Templated Policies:") }
    for template in templates {
      lines.append("\(indent)   \(template.templateName)")
      if let name = template.templateVariables?.name, !name.isEmpty { lines.append("\(indent)      Name: \(name)") }
      lines.append("\(indent)      Datacenters: \(datacenters(template.datacenters))")
    }
    return lines
  }

  private static func datacenters(_ names: [String]) -> String { names.isEmpty ? "all" : names.joined(separator: ", ") }

  private static func links(_ title: String, _ links: [ACLLink], indent: String = "") -> [String] {
    links.isEmpty ? [] : ["\(indent)\(title):"] + links.map { "\(indent)   \($0.id) - \($0.name)" }
  }

  private static func block(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

  // MARK: policies

  static func text(_ policy: ACLPolicy, showsMeta: Bool) -> String {
    var lines = [
      "ID:           \(policy.id)", "Name:         \(policy.name)", "Description:  \(policy.description)",
      "Datacenters:  \(policy.datacenters.joined(separator: ", "))",
    ]
    if showsMeta { lines += meta(policy.hash, policy.createIndex, policy.modifyIndex) }
    return block(lines) + "Rules:\n" + policy.rules
  }

  private static func meta(_ hash: Bytes, _ create: UInt64, _ modify: UInt64, indent: String = "") -> [String] {
    [
      "\(indent)Hash:         \(hexadecimal(hash))", "\(indent)Create Index: \(create)",
      "\(indent)Modify Index: \(modify)",
    ]
  }

  static func text(_ policies: [ACLPolicyListStub], showsMeta: Bool) -> String {
    block(
      policies.flatMap { policy in
        var lines = [
          "\(policy.name):", "   ID:           \(policy.id)", "   Description:  \(policy.description)",
          "   Datacenters:  \(policy.datacenters.joined(separator: ", "))",
        ]
        if showsMeta { lines += meta(policy.hash, policy.createIndex, policy.modifyIndex, indent: "   ") }
        return lines
      })
  }

  // MARK: roles

  static func text(_ role: ACLRole, showsMeta: Bool) -> String {
    var lines = ["ID:           \(role.id)", "Name:         \(role.name)", "Description:  \(role.description)"]
    if showsMeta { lines += meta(role.hash, role.createIndex, role.modifyIndex) }
    lines += links("Policies", role.policies)
    lines += identities(role.serviceIdentities, role.nodeIdentities, role.templatedPolicies)
    return block(lines)
  }

  static func text(_ roles: [ACLRole], showsMeta: Bool) -> String {
    block(
      roles.flatMap { role in
        var lines = ["\(role.name):", "   ID:           \(role.id)", "   Description:  \(role.description)"]
        if showsMeta { lines += meta(role.hash, role.createIndex, role.modifyIndex, indent: "   ") }
        lines += links("Policies", role.policies, indent: "   ")
        lines += identities(role.serviceIdentities, role.nodeIdentities, role.templatedPolicies, indent: "   ")
        return lines
      })
  }

  // MARK: tokens

  static func text(_ token: ACLToken, showsMeta: Bool) -> String {
    var lines = head(token)
    if showsMeta {
      lines += [
        "Hash:             \(hexadecimal(token.hash))", "Create Index:     \(token.createIndex)",
        "Modify Index:     \(token.modifyIndex)",
      ]
    }
    lines += links("Policies", token.policies) + links("Roles", token.roles)
    lines += identities(token.serviceIdentities, token.nodeIdentities, token.templatedPolicies)
    return block(lines)
  }

  static func head(_ token: ACLToken) -> [String] {
    var lines = [
      "AccessorID:       \(token.accessorID)", "SecretID:         \(token.secretID.revealed)",
      "Description:      \(token.description)", "Local:            \(token.local)",
    ]
    if !token.authMethod.isEmpty { lines.append("Auth Method:      \(token.authMethod) (Namespace: )") }
    lines.append("Create Time:      \(time(token.createTime))")
    if let end = token.expirationTime { lines.append("Expiration Time:  \(time(end))") }
    return lines
  }

  static func text(_ tokens: [ACLToken], showsMeta: Bool) -> String {
    tokens.map { text($0, showsMeta: showsMeta) }.joined(separator: "\n")
  }

  // MARK: JSON

  static func json(_ value: some Record) -> Dynamic {
    guard var object = (try? Dynamic(json: Array(value.json.utf8)))?.object else { return .null }
    if value is ACLPolicy, object["Datacenters"] == nil { object["Datacenters"] = .null }
    if let templates = object["TemplatedPolicies"]?.array {
      object["TemplatedPolicies"] = .array(templates.map(shownTemplate))
    }
    return .object(object)
  }

  /// Only what one gives to make it.
  private static func shownTemplate(_ template: Dynamic) -> Dynamic {
    guard var object = template.object else { return template }
    object["TemplateID"] = nil
    if let name = object["TemplateVariables"]?["name"] { object["TemplateVariables"] = ["Name": name] }
    return .object(object)
  }

  static func json(_ values: [some Record]) -> Dynamic { .array(values.map { json($0) }) }
}
