import Model
import Testing

@testable import AccessControl

/// The compiled rules answer as one would who reads all rules for every request.
@Suite struct AuthorizerPropertyTests {
  /// The rule language as its documentation tells it, without any cleverness.
  private struct Naive {
    let rules: [Rule]
    let fallback: CompiledRules.Fallback

    func allows(_ permission: Permission) -> Bool {
      let (resource, access, name) = permission.target
      switch permission {
      case .open: return true
      case .keyWritePrefix(let prefix): return allowsAll(.key, under: prefix, access)
      case .nodeReadAll, .serviceReadAll: return allowsAll(resource, under: "", access)
      case .intentionWrite("*"): return allowsAll(resource, under: "", access)
      case .serviceWriteAny, .intentionRead("*"):
        return subjects(of: resource).contains { merged($0)?.grants(access) ?? false }
          || grants(decision(resource, "", exactly: false), access)
      case .aclRead, .aclWrite: return scalar(.acl)?.grants(access) ?? false
      case .meshRead, .meshWrite, .peeringRead, .peeringWrite:
        return grants(scalar(resource) ?? scalar(.operator), access)
      default: return grants(name.map { decision(resource, $0) } ?? scalar(resource), access)
      }
    }

    private func grants(_ level: AccessLevel?, _ access: AccessLevel) -> Bool {
      level?.grants(access) ?? (fallback == .allow)
    }

    private func scalar(_ resource: RuleResource) -> AccessLevel? { merged(rules.filter { $0.resource == resource }) }

    /// Of several rules about the same thing one that denies wins, else the one that grants most.
    private func merged(_ rules: [Rule]) -> AccessLevel? {
      if rules.contains(where: { $0.level == .deny }) { return .deny }
      return [AccessLevel.write, .list, .read].first { level in rules.contains { $0.level == level } }
    }

    private func about(_ resource: RuleResource, _ name: String, isPrefix: Bool) -> [Rule] {
      guard resource == .intention else {
        return rules.filter { $0.resource == resource && $0.isPrefix == isPrefix && $0.name == name }
      }
      // What rules about services say of intentions; where none does, who may see a service may see its intentions.
      let services = about(.service, name, isPrefix: isPrefix)
      let explicit = services.compactMap { rule in
        rule.intentions.map { level in
          var copy = rule
          copy.level = level
          return copy
        }
      }
      if !explicit.isEmpty { return explicit }
      guard var one = services.first, let level = merged(services) else { return [] }
      one.level = level == .deny ? .deny : .read
      return [one]
    }

    /// The exact rule decides, else the one with the longest prefix.
    private func decision(_ resource: RuleResource, _ name: String, exactly: Bool = true) -> AccessLevel? {
      if exactly, let level = merged(about(resource, name, isPrefix: false)) { return level }
      for length in stride(from: name.utf8.count, through: 0, by: -1) {
        let prefix = String(decoding: name.utf8.prefix(length), as: UTF8.self)
        if let level = merged(about(resource, prefix, isPrefix: true)) { return level }
      }
      return nil
    }

    /// The rules about each thing that is spoken of.
    private func subjects(of resource: RuleResource) -> [[Rule]] {
      rules.filter { $0.resource == (resource == .intention ? .service : resource) }
        .map { about(resource, $0.name, isPrefix: $0.isPrefix) }
    }

    private func allowsAll(_ resource: RuleResource, under prefix: String, _ access: AccessLevel) -> Bool {
      grants(decision(resource, prefix, exactly: false), access)
        && subjects(of: resource).allSatisfy { rules in
          rules.allSatisfy { !$0.name.hasPrefix(prefix) } || (merged(rules)?.grants(access) ?? true)
        }
    }
  }

  private static func name(_ generator: inout SeededGenerator) -> String {
    String((0..<Int.random(in: 0..<5, using: &generator)).map { _ in "ab/".randomElement(using: &generator) ?? "a" })
  }

  private static func rule(_ generator: inout SeededGenerator) -> Rule {
    let kinds = RuleResource.named + RuleResource.scalars + [.key, .key, .service, .service]
    var rule = Rule(kinds.randomElement(using: &generator) ?? .key, .read)
    let levels = rule.resource == .key ? AccessLevel.allCases : [.deny, .read, .write]
    rule.level = levels.randomElement(using: &generator) ?? .read
    if RuleResource.scalars.contains(rule.resource) { return rule }
    rule.isPrefix = Bool.random(using: &generator)
    rule.name = name(&generator)
    if rule.resource == .service, Bool.random(using: &generator) {
      rule.intentions = [.deny, .read, .write].randomElement(using: &generator)
    }
    return rule
  }

  private static func request(_ generator: inout SeededGenerator) -> Permission {
    let name = name(&generator)
    switch Int.random(in: 0..<20, using: &generator) {
    case 0: return .keyWritePrefix(name)
    case 1: return .nodeReadAll
    case 2: return .serviceReadAll
    case 3: return .serviceWriteAny
    case 4: return Bool.random(using: &generator) ? .intentionRead("*") : .intentionWrite("*")
    default:
      let resource = RuleResource.allCases.randomElement(using: &generator) ?? .key
      let levels: [AccessLevel] = resource == .key ? [.read, .list, .write] : [.read, .write]
      let level = levels.randomElement(using: &generator) ?? .read
      return (try? Permission(resource: resource.rawValue, access: level.rawValue, name: name)) ?? .open
    }
  }

  /// A million requests in all.
  @Test(arguments: [UInt64(7), 2026, 7919, 104_729])
  func randomRulesAndRequests(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<2500 {
      let policies = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in
        (0..<Int.random(in: 0..<8, using: &generator)).map { _ in Self.rule(&generator) }
      }
      let fallback: CompiledRules.Fallback = Bool.random(using: &generator) ? .allow : .deny
      let naive = Naive(rules: policies.flatMap { $0 }, fallback: fallback)
      let compiled = CompiledRules(policies.map { PolicySource(id: "", name: "", rules: $0) }, fallback: fallback)
      for _ in 0..<100 {
        let permission = Self.request(&generator)
        if compiled.allows(permission) != naive.allows(permission) {
          Issue.record("seed \(seed): \(permission) differs for \(policies), \(fallback)")
          return
        }
      }
    }
  }
}
