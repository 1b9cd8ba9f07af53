/// A policy or a role that a token or a role holds. The id counts; the name is that of the moment.
public struct ACLLink: Record, Hashable {
  public var id = ""
  public var name = ""

  public init() {}
  public init(id: String, name: String = "") {
    self.id = id
    self.name = name
  }

  public static let schema = Schema<ACLLink>("structs.ACLLink") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
  }
}

/// The rights that an instance of a service and its sidecar need.
public struct ACLServiceIdentity: Record, Hashable {
  public var serviceName = ""
  /// Where it is valid; empty means everywhere.
  public var datacenters: [String] = []

  public init() {}

  public static let schema = Schema<ACLServiceIdentity>("structs.ACLServiceIdentity") {
    $0.field("ServiceName", \.serviceName)
    $0.field("Datacenters", \.datacenters, .omitEmpty)
  }
}

/// The rights that a node needs to register itself.
public struct ACLNodeIdentity: Record, Hashable {
  public var nodeName = ""
  public var datacenter = ""

  public init() {}

  public static let schema = Schema<ACLNodeIdentity>("structs.ACLNodeIdentity") {
    $0.field("NodeName", \.nodeName)
    $0.field("Datacenter", \.datacenter)
  }
}

/// A built-in template of rules with what is put into it.
public struct ACLTemplatedPolicy: Record, Hashable {
  public var templateID = ""
  /// `builtin/service` and the like.
  public var templateName = ""
  public var templateVariables: ACLTemplatedPolicyVariables?
  /// Where it is valid; empty means everywhere.
  public var datacenters: [String] = []

  public init() {}

  public static let schema = Schema<ACLTemplatedPolicy>("structs.ACLTemplatedPolicy") {
    $0.field("TemplateID", \.templateID, .omitEmpty)
    $0.field("TemplateName", \.templateName)
    $0.field("TemplateVariables", \.templateVariables, .omitEmpty)
    $0.field("Datacenters", \.datacenters, .omitEmpty)
  }
}

/// What templates can be given.
public struct ACLTemplatedPolicyVariables: Record, Hashable {
  public var name = ""

  public init() {}
  public init(name: String) { self.name = name }

  public static let schema = Schema<ACLTemplatedPolicyVariables>("structs.ACLTemplatedPolicyVariables") {
    $0.field("name", \.name, .omitEmpty, wireName: "Name")
  }
}
