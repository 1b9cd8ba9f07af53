import ConsulClient
import HCL
import Model

/// The flags with which tokens and roles are given policies and identities.
enum ACLFlags {
  static let policyID = Flag.strings("policy-id", "Id of a policy; may be given several times.")
  static let policyName = Flag.strings("policy-name", "Name of a policy; may be given several times.")
  static let roleID = Flag.strings("role-id", "Id of a role; may be given several times.")
  static let roleName = Flag.strings("role-name", "Name of a role; may be given several times.")
  static let serviceIdentity = Flag.strings(
    "service-identity", "SERVICE or SERVICE:DATACENTER,DATACENTER: the rights of a service; may be given several times."
  )
  static let nodeIdentity = Flag.strings(
    "node-identity", "NODE:DATACENTER: the rights of a node; may be given several times.")
  static let template = Flag.string(
    "templated-policy", "Name of a templated policy; -var gives it what it asks for.")
  static let templateFile = Flag.string(
    "templated-policy-file", "File with templated policies and their variables, in HCL or JSON.")
  static let variable = Flag.strings("var", "VARIABLE:VALUE for -templated-policy; may be given several times.")

  static let identities = [
    serviceIdentity.any, nodeIdentity.any, template.any, templateFile.any, variable.any,
  ]

  static func policies(_ invocation: Invocation, _ ids: [String], _ names: [String]) async throws -> [ACLLink] {
    var links: [ACLLink] = []
    for id in ids { links.append(ACLLink(id: try await ACLLookup.policyID(id, invocation))) }
    return links + names.map { ACLLink(id: "", name: $0) }
  }

  static func roles(_ invocation: Invocation, _ ids: [String], _ names: [String]) async throws -> [ACLLink] {
    var links: [ACLLink] = []
    for id in ids { links.append(ACLLink(id: try await ACLLookup.roleID(id, invocation))) }
    return links + names.map { ACLLink(id: "", name: $0) }
  }

  static func services(_ words: [String]) throws -> [ACLServiceIdentity] {
    try words.map { word in
      let parts = word.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2, let name = parts.first else {
        throw CommandFailure("Malformed -service-identity argument: \(word.goQuoted)")
      }
      var identity = ACLServiceIdentity()
      identity.serviceName = String(name)
      if parts.count == 2 { identity.datacenters = parts[1].split(separator: ",").map(String.init) }
      return identity
    }
  }

  static func nodes(_ words: [String]) throws -> [ACLNodeIdentity] {
    try words.map { word in
      let parts = word.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw CommandFailure("Malformed -node-identity argument: \(word.goQuoted)") }
      var identity = ACLNodeIdentity()
      identity.nodeName = String(parts[0])
      identity.datacenter = String(parts[1])
      return identity
    }
  }

  /// The templated policies that the flags or the file name.
  static func templates(_ invocation: Invocation) throws -> [ACLTemplatedPolicy] {
    if !invocation[template].isEmpty, !invocation[templateFile].isEmpty {
      throw CommandFailure("Cannot combine the use of templated-policy flag with templated-policy-file")
    }
    if !invocation[templateFile].isEmpty { return try templates(inFile: invocation[templateFile]) }
    guard !invocation[template].isEmpty else { return [] }
    var policy = ACLTemplatedPolicy()
    policy.templateName = invocation[template]
    policy.templateVariables = try variables(invocation[variable])
    return [policy]
  }

  /// Nil when there are none.
  static func variables(_ words: [String]) throws -> ACLTemplatedPolicyVariables? {
    if words.isEmpty { return nil }
    var variables = ACLTemplatedPolicyVariables()
    for word in words {
      guard let colon = word.firstIndex(of: ":") else {
        throw CommandFailure("malformed -var argument: \(word.goQuoted), expecting VariableName:Value")
      }
      if word[..<colon].lowercased() == "name" { variables.name = String(word[word.index(after: colon)...]) }
    }
    return variables
  }

  /// `TemplatedPolicy "builtin/service" { Name = "api" }`
  static func templates(inFile path: String) throws -> [ACLTemplatedPolicy] {
    let bytes: [UInt8]
    do {
      bytes = try FileReader.read(path)
    } catch {
      throw CommandFailure("Failed to read file: \(error)")
    }
    let document: HCLObject
    do throws(HCLError) { document = try HCL.parse(bytes) } catch {
      throw CommandFailure("Failed to parse templated policy file: \(error)")
    }
    var policies: [ACLTemplatedPolicy] = []
    for (key, value) in document.plainObject where key.lowercased() == "templatedpolicy" {
      for (name, bodies) in value.object ?? DynamicObject() {
        for body in bodies.array ?? [bodies] {
          var policy = ACLTemplatedPolicy()
          policy.templateName = name
          var variables = ACLTemplatedPolicyVariables()
          for (field, value) in body.object ?? DynamicObject() where field.lowercased() == "name" {
            variables.name = value.string ?? ""
          }
          if body.object?.isEmpty == false { policy.templateVariables = variables }
          policies.append(policy)
        }
      }
    }
    return policies
  }
}

/// Ids may be shortened as long as they stay unambiguous.
enum ACLLookup {
  private static let length = 36

  private static func complete(_ prefix: String, _ ids: [String], _ what: String) throws -> String {
    let found = ids.filter { $0.hasPrefix(prefix) }
    guard let first = found.first else { throw CommandFailure("No such \(what) ID with prefix: \(prefix)") }
    guard found.count == 1 else {
      throw CommandFailure("\(what.prefix(1).uppercased())\(what.dropFirst()) ID prefix is not unique: \(prefix)")
    }
    return first
  }

  static func policyID(_ id: String, _ invocation: Invocation) async throws -> String {
    if id == "global-management" { return ACLPolicy.managementID }
    if id.count == length { return id }
    return try complete(id, try await invocation.client().acl.policies().map(\.id), "policy")
  }

  static func roleID(_ id: String, _ invocation: Invocation) async throws -> String {
    if id.count == length { return id }
    return try complete(id, try await invocation.client().acl.roles().map(\.id), "role")
  }

  static func accessor(_ id: String, _ invocation: Invocation) async throws -> String {
    if id == "anonymous" { return ACLToken.anonymousAccessor }
    if id.count == length { return id }
    return try complete(id, try await invocation.client().acl.tokens().map(\.accessorID), "token")
  }
}
