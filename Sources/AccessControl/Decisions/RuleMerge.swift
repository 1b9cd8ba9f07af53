/// A policy whose rules a token has.
public struct PolicySource: Sendable {
  public var id: String
  public var name: String
  public var rules: [Rule]

  public init(id: String, name: String, rules: [Rule]) {
    self.id = id
    self.name = name
    self.rules = rules
  }
}

/// A rule and the policy that it stands in.
public struct RuleOrigin: Sendable, Equatable {
  public var policyID: String
  public var policyName: String
  public var rule: Rule
}

/// One rule for each thing that any of several policies speaks of. Of two about the same thing, one that denies wins, else the
/// one that grants most; what rules say of intentions is merged on its own.
struct RuleMerge {
  private struct Subject: Hashable {
    var resource: RuleResource
    var isPrefix: Bool
    var name: String
  }

  /// In the order in which their subjects appeared.
  private(set) var origins: [RuleOrigin] = []
  private var places: [Subject: Int] = [:]

  init(_ policies: [PolicySource]) {
    for policy in policies {
      for rule in policy.rules { add(rule, policy) }
    }
  }

  private mutating func add(_ rule: Rule, _ policy: PolicySource) {
    add(RuleOrigin(policyID: policy.id, policyName: policy.name, rule: rule))
    guard rule.resource == .service, let intentions = rule.intentions else { return }
    var about = rule
    about.resource = .intention
    about.level = intentions
    add(RuleOrigin(policyID: policy.id, policyName: policy.name, rule: about))
  }

  private mutating func add(_ origin: RuleOrigin) {
    let rule = origin.rule
    let subject = Subject(resource: rule.resource, isPrefix: rule.isPrefix, name: rule.name)
    guard let place = places[subject] else {
      places[subject] = origins.count
      origins.append(origin)
      return
    }
    if rule.level.takesPrecedence(over: origins[place].rule.level) { origins[place] = origin }
  }

  /// The rules about intentions: those that say so, and what rules about services mean for them otherwise. Who may see or
  /// change a service may see its intentions.
  func completed() -> [RuleOrigin] {
    var all = origins
    for origin in origins where origin.rule.resource == .service {
      var about = origin
      about.rule.resource = .intention
      about.rule.level = origin.rule.level == .deny ? .deny : .read
      let subject = Subject(resource: .intention, isPrefix: about.rule.isPrefix, name: about.rule.name)
      if places[subject] == nil { all.append(about) }
    }
    return all
  }
}
