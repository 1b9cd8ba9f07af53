/// Why a token may or may not do something, and what would change it.
public struct Explanation: Sendable, Equatable {
  public var permission: Permission
  public var isAllowed: Bool
  public var reason: CompiledRules.Reason
  /// The least that would turn the decision round: a rule to add, or words where a rule has to go.
  public var remedy: String

  public init(_ permission: Permission, _ rules: CompiledRules) {
    self.permission = permission
    isAllowed = rules.allows(permission)
    reason = rules.reason(for: permission)
    remedy = Remedy(permission, isAllowed: isAllowed, reason).text
  }
}

/// The least rule that turns a decision round.
private struct Remedy {
  let text: String

  init(_ permission: Permission, isAllowed: Bool, _ reason: CompiledRules.Reason) {
    let (resource, access, _) = permission.target
    if permission == .open {
      text = ""
      return
    }
    // Of rules about the same thing, one that denies wins: no other can help against it.
    if !isAllowed, case .rule(let origin) = reason, origin.rule.level == .deny,
      Self.isAboutTheSame(origin.rule, permission)
    {
      text =
        "the rule at \(origin.rule.position) of the policy \"\(origin.policyName)\" denies this: change it or take it away"
      return
    }
    let level = isAllowed ? AccessLevel.deny : access
    switch resource {
    case .acl, .keyring, .mesh, .operator, .peering: text = "\(resource.rawValue) = \"\(level.rawValue)\""
    case .intention:
      text = "service\(Self.form(permission)) { policy = \"read\" intentions = \"\(level.rawValue)\" }"
    default: text = "\(resource.rawValue)\(Self.form(permission)) { policy = \"\(level.rawValue)\" }"
    }
  }

  private static func isAboutTheSame(_ rule: Rule, _ permission: Permission) -> Bool {
    let target = permission.target
    if target.resource != rule.resource { return false }
    return RuleResource.scalars.contains(rule.resource) || (!rule.isPrefix && rule.name == target.name)
  }

  /// `_prefix "a"` or ` "a"`.
  private static func form(_ permission: Permission) -> String {
    switch permission {
    case .keyWritePrefix(let prefix): "_prefix \"\(prefix)\""
    case .nodeReadAll, .serviceReadAll, .serviceWriteAny, .intentionRead("*"), .intentionWrite("*"): "_prefix \"\""
    default: " \"\(permission.target.name ?? "")\""
    }
  }
}
