import AccessControl
import Model
import State

/// What must hold of the policies and identities that tokens and roles name, and the form in which they are stored.
struct IdentityRules {
  let state: StateSnapshot
  /// `token` or `role`, for the texts.
  let holder: String

  // MARK: links

  /// The links by id, each once; names are looked up.
  func policies(_ links: [ACLLink]) throws(ServerError) -> [ACLLink] {
    var found: [ACLLink] = []
    for link in links {
      let policy = (link.id.isEmpty ? state.aclPolicy(name: link.name) : state.aclPolicy(id: link.id)).value?.value
      guard let policy else { throw .invalid(Self.missing("policy", link)) }
      if !found.contains(where: { $0.id == policy.id }) { found.append(ACLLink(id: policy.id, name: policy.name)) }
    }
    return found
  }

  func roles(_ links: [ACLLink]) throws(ServerError) -> [ACLLink] {
    var found: [ACLLink] = []
    for link in links {
      let role = (link.id.isEmpty ? state.aclRole(name: link.name) : state.aclRole(id: link.id)).value
      guard let role else { throw .invalid(Self.missing("role", link)) }
      if !found.contains(where: { $0.id == role.id }) { found.append(ACLLink(id: role.id, name: role.name)) }
    }
    return found
  }

  private static func missing(_ kind: String, _ link: ACLLink) -> String {
    link.id.isEmpty
      ? "No such ACL \(kind) with name \(link.name.goQuoted)" : "No such ACL \(kind) with ID \(link.id.goQuoted)"
  }

  // MARK: identities

  /// One identity for each service, valid wherever one of them is.
  func services(_ identities: [ACLServiceIdentity], isLocal: Bool = false) throws(ServerError) -> [ACLServiceIdentity] {
    var merged: [ACLServiceIdentity] = []
    for identity in identities {
      if identity.serviceName.isEmpty {
        throw .invalid("Service identity is missing the service name field on this \(holder)")
      }
      if isLocal, !identity.datacenters.isEmpty {
        throw .invalid(
          "Service identity \(identity.serviceName.goQuoted) cannot specify a list of datacenters on a local token")
      }
      guard ACLNames.isValidIdentity(identity.serviceName) else {
        throw .invalid(
          "Service identity \(identity.serviceName.goQuoted) has an invalid name. \(Self.allowedCharacters)")
      }
      guard let place = merged.firstIndex(where: { $0.serviceName == identity.serviceName }) else {
        merged.append(identity)
        continue
      }
      let everywhere = merged[place].datacenters.isEmpty || identity.datacenters.isEmpty
      merged[place].datacenters =
        everywhere ? [] : Array(Set(merged[place].datacenters + identity.datacenters)).sorted(by: bytewiseLess)
    }
    return merged
  }

  func nodes(_ identities: [ACLNodeIdentity]) throws(ServerError) -> [ACLNodeIdentity] {
    var found: [ACLNodeIdentity] = []
    for identity in identities {
      if identity.nodeName.isEmpty {
        throw .invalid("Node identity is missing the node name field on this \(holder)")
      }
      if identity.datacenter.isEmpty {
        throw .invalid("Node identity is missing the datacenter field on this \(holder)")
      }
      guard ACLNames.isValidIdentity(identity.nodeName) else {
        throw .invalid("Node identity has an invalid name. \(Self.allowedCharacters)")
      }
      if !found.contains(identity) { found.append(identity) }
    }
    return found
  }

  func templates(_ policies: [ACLTemplatedPolicy]) throws(ServerError) -> [ACLTemplatedPolicy] {
    var found: [ACLTemplatedPolicy] = []
    for var policy in policies {
      if policy.templateName.isEmpty, policy.templateID.isEmpty {
        throw .invalid("templated policy is missing the template name field on this \(holder)")
      }
      let template =
        policy.templateName.isEmpty
        ? PolicyTemplate.identified(policy.templateID) : PolicyTemplate.named(policy.templateName)
      guard let template else {
        throw .invalid("no such ACL templated policy with Name \(policy.templateName.goQuoted)")
      }
      if let problem = TemplateRules.problem(template, policy.templateVariables) {
        throw .invalid("validation error for templated policy \(template.name.goQuoted): \(problem)")
      }
      policy.templateID = template.id
      policy.templateName = template.name
      if !template.needsName { policy.templateVariables = nil }
      if !found.contains(policy) { found.append(policy) }
    }
    return found
  }

  static let allowedCharacters = TemplateRules.allowedCharacters
}
