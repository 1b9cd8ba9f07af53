import Model

/// What a template needs to be given.
public enum TemplateRules {
  /// Why a policy cannot be made of the template and its variables; nil if it can.
  public static func problem(_ template: PolicyTemplate, _ variables: ACLTemplatedPolicyVariables?) -> String? {
    guard template.needsName else { return nil }
    guard let variables else { return "1 error occurred:\n\t* Invalid type. Expected: object, given: null\n\n" }
    return nameProblem(template, variables)
  }

  /// Why the name cannot be put in.
  public static func nameProblem(_ template: PolicyTemplate, _ variables: ACLTemplatedPolicyVariables) -> String? {
    guard template.needsName, !ACLNames.isValidIdentity(variables.name) else { return nil }
    let kind = template.name == PolicyTemplate.node.name ? "node identity" : "service identity"
    return "\(kind) \(variables.name.goQuoted) has an invalid name. \(allowedCharacters)"
  }

  public static let allowedCharacters = "Only lowercase alphanumeric characters, '-' and '_' are allowed"
}
