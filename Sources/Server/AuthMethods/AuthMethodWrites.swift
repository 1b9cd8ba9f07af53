import AccessControl
import Authentication
import Model
import State

/// Creates an auth method, or changes the one of its name.
public struct AuthMethodSet: WriteRequest {
  public static let method = "ACL.AuthMethodSet"
  public var record: ACLAuthMethod

  public init(_ record: ACLAuthMethod) { self.record = record }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLAuthMethod> {
    try context.require(.aclWrite)
    let logins = try context.requireLogins()
    var record = record
    if record.name.isEmpty { throw .invalid("Invalid Auth Method: no Name is set") }
    guard ACLNames.isValidAuthMethod(record.name) else {
      throw .invalid("Invalid Auth Method: invalid Name. Only alphanumeric characters, '-' and '_' are allowed")
    }
    if let old = context.state.aclAuthMethod(record.name).value?.value {
      if record.type.isEmpty { record.type = old.type }
      if record.type != old.type { throw .invalid("the Type field of an Auth Method is immutable") }
    }
    guard ["", "local", "global"].contains(record.tokenLocality) else {
      throw .invalid("Invalid Auth Method: TokenLocality should be one of 'local' or 'global'")
    }
    if record.tokenLocality == "global", context.primaryDatacenter != nil {
      throw .invalid("Invalid Auth Method: TokenLocality 'global' can only be used in the primary datacenter")
    }
    try checkTTL(record.maxTokenTTL, minimum: context.minimumTokenTTL)
    let settings: Progress<Void>
    do throws(AuthenticationError) {
      settings = try AuthMethod(record).verifySettings()
    } catch {
      throw .invalid("Invalid Auth Method: \(error)")
    }
    return try settings.mapError { .setting("Invalid Auth Method: \($0)") }
      .write(on: logins.transport) { [record] _ in Self.command(record, context) }
  }

  private func checkTTL(_ ttl: GoDuration, minimum: GoDuration) throws(ServerError) {
    if ttl < .zero { throw .invalid("MaxTokenTTL \(ttl) should be > 0") }
    if ttl > .zero, ttl < minimum { throw .invalid("MaxTokenTTL \(ttl) cannot be less than \(minimum)") }
  }

  private static func command(_ record: ACLAuthMethod, _ context: WriteContext) -> PreparedWrite<ACLAuthMethod> {
    .command(.accessControl(.setAuthMethods(ACLAuthMethodBatchSetRequest([record])))) {
      (result) throws(ServerError) in
      _ = try result.success(prefix: "Failed to apply auth method upsert request: ")
      return context.current().aclAuthMethod(record.name).value?.value ?? record
    }
  }
}

/// Deletes an auth method with its binding rules and the tokens that it made. Answers false when there is none.
public struct AuthMethodDelete: WriteRequest {
  public static let method = "ACL.AuthMethodDelete"
  public var name: String

  public init(name: String) { self.name = name }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    try context.require(.aclWrite)
    _ = try context.requireLogins()
    guard context.state.aclAuthMethod(name).value != nil else { return .immediate(false) }
    return .command(.accessControl(.deleteAuthMethods(ACLAuthMethodBatchDeleteRequest([name])))) {
      (result) throws(ServerError) in
      try result.success(prefix: "Failed to apply auth method delete request: ")
    }
  }
}

/// Creates a binding rule, or changes the one with its id.
public struct BindingRuleSet: WriteRequest {
  public static let method = "ACL.BindingRuleSet"
  public var rule: ACLBindingRule

  /// - Parameter rule: with an empty id for a new one.
  public init(_ rule: ACLBindingRule) { self.rule = rule }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLBindingRule> {
    try context.require(.aclWrite)
    let logins = try context.requireLogins()
    var rule = rule
    if rule.id.isEmpty {
      rule.id = ACLIdentifiers.unused { context.state.aclBindingRule($0).value != nil }
    } else {
      try adopt(&rule, context.state)
    }
    if rule.authMethod.isEmpty { throw .invalid("Invalid Binding Rule: no AuthMethod is set") }
    guard context.state.aclAuthMethod(rule.authMethod).value != nil else {
      throw .invalid("cannot find auth method with name \(rule.authMethod.goQuoted)")
    }
    let method = try logins.method(rule.authMethod, context.state).known.method
    do throws(AuthenticationError) {
      try BindingRules.check(rule, method.template)
    } catch {
      throw ServerError(error)
    }
    return .command(.accessControl(.setBindingRules(ACLBindingRuleBatchSetRequest([rule])))) {
      [rule] (result) throws(ServerError) in
      _ = try result.success(prefix: "Failed to apply binding rule upsert request: ")
      return context.current().aclBindingRule(rule.id).value?.value ?? rule
    }
  }

  private func adopt(_ rule: inout ACLBindingRule, _ state: StateSnapshot) throws(ServerError) {
    if let problem = ACLIdentifiers.problem(rule.id, table: "binding rule") { throw .invalid(problem) }
    guard let old = state.aclBindingRule(rule.id).value?.value else {
      throw .invalid("cannot find binding rule \(rule.id)")
    }
    rule.id = old.id
    if rule.authMethod.isEmpty { rule.authMethod = old.authMethod }
    if rule.authMethod != old.authMethod { throw .invalid("the AuthMethod field of an Binding Rule is immutable") }
  }
}

/// Deletes a binding rule. Answers false when there is none.
public struct BindingRuleDelete: WriteRequest {
  public static let method = "ACL.BindingRuleDelete"
  public var id: String

  public init(id: String) { self.id = id }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    try context.require(.aclWrite)
    _ = try context.requireLogins()
    if let problem = ACLIdentifiers.problem(id, table: "binding rule") { throw .invalid(problem) }
    guard let rule = context.state.aclBindingRule(id).value?.value else { return .immediate(false) }
    return .command(.accessControl(.deleteBindingRules(ACLBindingRuleBatchDeleteRequest([rule.id])))) {
      (result) throws(ServerError) in
      try result.success(prefix: "Failed to apply binding rule delete request: ")
    }
  }
}
