import AccessControl
import Model

/// What a binding rule gives to an identity that it fits.
public enum Binding: Sendable, Equatable {
  case service(String)
  case node(String)
  case role(String)
  case policy(String)
  case template(ACLTemplatedPolicy)
}

/// What binding rules mean.
public enum BindingRules {
  /// What the rules give to an identity, in their order. A rule whose selector cannot be used fits nobody.
  ///
  /// - Throws: `AuthenticationError.rule` for a rule that fits, but whose name becomes none.
  public static func bindings(
    of identity: Identity, by rules: [ACLBindingRule]
  ) throws(AuthenticationError) -> [Binding] {
    let variables = identity.variables
    var bindings: [Binding] = []
    for rule in rules where (try? identity.matches(rule.selector)) ?? false {
      bindings.append(try binding(rule, variables))
    }
    return bindings
  }

  /// Whether a rule can be stored: its names are tried with an identity whose attributes are all `fake`.
  ///
  /// - Parameter template: what identities of the rule's auth method look like.
  /// - Throws: `AuthenticationError.rule`
  public static func check(_ rule: ACLBindingRule, _ template: Identity) throws(AuthenticationError) {
    do throws(FilterError) {
      _ = try template.matches(rule.selector)
    } catch {
      throw .rule("invalid Binding Rule: Selector is invalid: \(error.detail)")
    }
    if rule.bindType.isEmpty { throw .rule("Invalid Binding Rule: no BindType is set") }
    if rule.bindVars != nil, rule.bindType != "templated-policy" {
      throw .rule("invalid Binding Rule: BindVars cannot be set when bind type is not templated-policy.")
    }
    if rule.bindName.isEmpty { throw .rule("Invalid Binding Rule: no BindName is set") }
    let prefix = "Invalid Binding Rule: invalid BindName or BindVars: "
    guard ["service", "node", "role", "policy", "templated-policy"].contains(rule.bindType) else {
      throw .rule(prefix + "invalid Binding Rule: unknown BindType \(rule.bindType.goQuoted)")
    }
    do throws(AuthenticationError) {
      _ = try binding(rule, template.variables.mapValues { _ in "fake" })
    } catch {
      throw .rule(prefix + "failed to validate bindType \(rule.bindType.goQuoted): \(error)")
    }
  }

  private static func binding(
    _ rule: ACLBindingRule, _ variables: [String: String]
  ) throws(AuthenticationError) -> Binding {
    if rule.bindType == "templated-policy" { return .template(try templatedPolicy(rule, variables)) }
    let name: String
    do throws(Interpolation.Problem) {
      name = try interpolate(rule.bindName, variables)
    } catch {
      throw .rule("error interpreting template: \(error)")
    }
    let isValid =
      switch rule.bindType {
      case "service", "node": ACLNames.isValidIdentity(name)
      case "role": ACLNames.isValidRole(name)
      default: ACLNames.problem(ofPolicy: name) == nil
      }
    guard isValid else { throw .rule("invalid bind name: \(name.goQuoted)") }
    switch rule.bindType {
    case "service": return .service(name)
    case "node": return .node(name)
    case "role": return .role(name)
    default: return .policy(name)
    }
  }

  private static func templatedPolicy(
    _ rule: ACLBindingRule, _ variables: [String: String]
  ) throws(AuthenticationError) -> ACLTemplatedPolicy {
    guard let template = PolicyTemplate.named(rule.bindName) else {
      throw .rule(
        "Bind name for templated-policy bind type does not match existing template name: \(rule.bindName)")
    }
    var policy = ACLTemplatedPolicy()
    policy.templateName = template.name
    policy.templateID = template.id
    if let given = rule.bindVars {
      do throws(Interpolation.Problem) {
        policy.templateVariables = ACLTemplatedPolicyVariables(name: try interpolate(given.name, variables))
      } catch {
        throw .rule("failed to interpret templated policy variables: \(error)")
      }
    }
    if let problem = TemplateRules.problem(template, policy.templateVariables) {
      throw .rule("templated policy failed validation: \(problem)")
    }
    if !template.needsName { policy.templateVariables = nil }
    return policy
  }

  /// Attributes are put in in small letters, which is how names of services and nodes are written.
  private static func interpolate(
    _ text: String, _ variables: [String: String]
  ) throws(Interpolation.Problem) -> String {
    // Text without a whole expression is a name as it stands.
    guard let start = text.firstRange(of: "${"), text[start.upperBound...].contains("}") else { return text }
    return try Interpolation(text).text(InterpolationNames(variables: variables.mapValues { $0.lowercased() }))
  }
}
