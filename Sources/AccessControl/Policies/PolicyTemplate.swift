import Model

/// A template of rules that every cluster has.
public struct PolicyTemplate: Sendable {
  public let id: String
  /// `builtin/service` and the like.
  public let name: String
  public let description: String
  /// `{{.Name}}` stands for the variable.
  public let template: String
  /// Whether a name has to be given.
  public let needsName: Bool

  /// The JSON schema of the variables; "" for a template that takes none.
  public var schema: String { needsName ? Self.nameSchema : "" }

  private static let nameSchema =
    "{\n\t\"type\": \"object\",\n\t\"properties\": {\n"
    + "\t\t\"name\": { \"type\": \"string\", \"$ref\": \"#/definitions/min-length-one\" }\n"
    + "\t},\n\t\"required\": [\"name\"],\n\t\"definitions\": {\n"
    + "\t\t\"min-length-one\": {\n\t\t\t\t\"type\": \"string\",\n\t\t\t\t\"minLength\": 1\n\t\t}\n\t}\n}"

  /// The rules with the name put in.
  public func render(_ variables: ACLTemplatedPolicyVariables?) -> String {
    template.replacing("{{.Name}}", with: variables?.name ?? "")
  }

  /// The policy that the template makes of its variables.
  public func policy(_ variables: ACLTemplatedPolicyVariables?, datacenters: [String]) -> ACLPolicy {
    let rules = render(variables)
    var policy = ACLPolicy()
    policy.id = Self.hexadecimal(rules) + Self.idSuffix
    policy.name = "synthetic-policy-" + policy.id
    policy.description = "synthetic policy generated from templated policy: \(name)"
    policy.rules = rules
    policy.datacenters = datacenters
    policy.hash = policy.contentHash
    return policy
  }

  /// The offset basis of FNV-128a, which the ids of such policies end with.
  private static let idSuffix = "6c62272e07bb014262b821756295c58d"

  private static func hexadecimal(_ text: String) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 { bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: bytes, as: UTF8.self)
  }

  // MARK: all of them

  public static func named(_ name: String) -> PolicyTemplate? { all.first { $0.name == name } }
  public static func identified(_ id: String) -> PolicyTemplate? { all.first { $0.id == id } }

  private static func id(_ number: Int) -> String { "00000000-0000-0000-0000-00000000000\(number)" }

  public static let service = PolicyTemplate(
    id: id(3), name: "builtin/service",
    description: "Gives the token or role permissions to register a service and discover services in the Consul "
      + "catalog. "
      + "It also gives the specified service's sidecar proxy the permission to discover and route traffic to other services.",
    template: "\nservice \"{{.Name}}\" {\n\tpolicy = \"write\"\n}\n"
      + "service \"{{.Name}}-sidecar-proxy\" {\n\tpolicy = \"write\"\n}\n"
      + "service_prefix \"\" {\n\tpolicy = \"read\"\n}\nnode_prefix \"\" {\n\tpolicy = \"read\"\n}",
    needsName: true)

  public static let node = PolicyTemplate(
    id: id(4), name: "builtin/node",
    description: "Gives the token or role permissions for a register an agent/node into the catalog. A node is "
      + "typically a "
      + "consul agent but can also be a physical server, cloud instance or a container.",
    template: "\nnode \"{{.Name}}\" {\n\tpolicy = \"write\"\n}\nservice_prefix \"\" {\n\tpolicy = \"read\"\n}",
    needsName: true)

  public static let dns = PolicyTemplate(
    id: id(5), name: "builtin/dns",
    description: "Gives the token or role permissions for the Consul DNS to query services in the network.",
    template: "\nnode_prefix \"\" {\n\tpolicy = \"read\"\n}\nservice_prefix \"\" {\n\tpolicy = \"read\"\n}\n"
      + "query_prefix \"\" {\n\tpolicy = \"read\"\n}",
    needsName: false)

  public static let nomadServer = PolicyTemplate(
    id: id(6), name: "builtin/nomad-server",
    description: "Gives the token or role permissions required for integration with a nomad server.",
    template: "\nacl = \"write\"\nagent_prefix \"\" {\n  policy = \"read\"\n}\n"
      + "node_prefix \"\" {\n  policy = \"read\"\n}\n"
      + "service_prefix \"\" {\n  policy = \"write\"\n}",
    needsName: false)

  public static let apiGateway = PolicyTemplate(
    id: id(8), name: "builtin/api-gateway",
    description: "Gives the token or role permissions for a Consul api gateway",
    template: "mesh = \"read\"\nnode_prefix \"\" {\n\tpolicy = \"read\"\n}\n"
      + "service_prefix \"\" {\n\tpolicy = \"read\"\n}\n"
      + "service \"{{.Name}}\" {\n\tpolicy = \"write\"\n}",
    needsName: true)

  public static let nomadClient = PolicyTemplate(
    id: id(9), name: "builtin/nomad-client",
    description: "Gives the token or role permissions required for integration with a nomad client.",
    template: "agent_prefix \"\" {\n  policy = \"read\"\n}\nnode_prefix \"\" {\n  policy = \"read\"\n}\n"
      + "service_prefix \"\" {\n  policy = \"write\"\n}\nkey_prefix \"\" {\n  policy = \"read\"\n}",
    needsName: false)

  public static let all = [service, node, dns, nomadServer, apiGateway, nomadClient]
}

extension ACLServiceIdentity {
  /// The policy that stands for this identity.
  public var policy: ACLPolicy {
    PolicyTemplate.service.policy(ACLTemplatedPolicyVariables(name: serviceName), datacenters: datacenters)
  }
}

extension ACLNodeIdentity {
  public var policy: ACLPolicy {
    PolicyTemplate.node.policy(ACLTemplatedPolicyVariables(name: nodeName), datacenters: [datacenter])
  }
}

extension ACLTemplatedPolicy {
  /// Nil for a template that does not exist.
  public var policy: ACLPolicy? {
    let template = PolicyTemplate.identified(templateID) ?? PolicyTemplate.named(templateName)
    return template?.policy(templateVariables, datacenters: datacenters)
  }
}
