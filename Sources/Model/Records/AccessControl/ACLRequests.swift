/// The first token of a cluster, made once or again after a reset.
public struct ACLTokenBootstrapRequest: Record {
  public var token = ACLToken()
  /// The index of the bootstrap that this one replaces; 0 for the first.
  public var resetIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<ACLTokenBootstrapRequest>("structs.ACLTokenBootstrapRequest") {
    $0.field("Token", \.token)
    $0.field("ResetIndex", \.resetIndex)
  }
}

/// Creates or changes tokens.
public struct ACLTokenBatchSetRequest: Record {
  public var tokens: [ACLToken] = []
  /// Only tokens whose `modifyIndex` is the stored one.
  public var cas = false
  /// Keeps links to policies and roles that do not exist here (yet).
  public var allowMissingLinks = false
  /// Leaves out tokens that were left without any rights.
  public var prohibitUnprivileged = false
  public var fromReplication = false

  public init() {}

  public static let schema = Schema<ACLTokenBatchSetRequest>("structs.ACLTokenBatchSetRequest") {
    $0.field("Tokens", \.tokens)
    $0.field("CAS", \.cas)
    $0.field("AllowMissingLinks", \.allowMissingLinks)
    $0.field("ProhibitUnprivileged", \.prohibitUnprivileged)
    $0.field("FromReplication", \.fromReplication)
  }
}

public struct ACLTokenBatchDeleteRequest: Record {
  /// Accessors.
  public var tokenIDs: [String] = []

  public init() {}
  public init(_ ids: [String]) { tokenIDs = ids }

  public static let schema = Schema<ACLTokenBatchDeleteRequest>("structs.ACLTokenBatchDeleteRequest") {
    $0.field("TokenIDs", \.tokenIDs)
  }
}

public struct ACLPolicyBatchSetRequest: Record {
  public var policies: [ACLPolicy] = []

  public init() {}
  public init(_ policies: [ACLPolicy]) { self.policies = policies }

  public static let schema = Schema<ACLPolicyBatchSetRequest>("structs.ACLPolicyBatchSetRequest") {
    $0.field("Policies", \.policies)
  }
}

public struct ACLPolicyBatchDeleteRequest: Record {
  public var policyIDs: [String] = []

  public init() {}
  public init(_ ids: [String]) { policyIDs = ids }

  public static let schema = Schema<ACLPolicyBatchDeleteRequest>("structs.ACLPolicyBatchDeleteRequest") {
    $0.field("PolicyIDs", \.policyIDs)
  }
}

public struct ACLRoleBatchSetRequest: Record {
  public var roles: [ACLRole] = []
  public var allowMissingLinks = false

  public init() {}
  public init(_ roles: [ACLRole]) { self.roles = roles }

  public static let schema = Schema<ACLRoleBatchSetRequest>("structs.ACLRoleBatchSetRequest") {
    $0.field("Roles", \.roles)
    $0.field("AllowMissingLinks", \.allowMissingLinks)
  }
}

public struct ACLRoleBatchDeleteRequest: Record {
  public var roleIDs: [String] = []

  public init() {}
  public init(_ ids: [String]) { roleIDs = ids }

  public static let schema = Schema<ACLRoleBatchDeleteRequest>("structs.ACLRoleBatchDeleteRequest") {
    $0.field("RoleIDs", \.roleIDs)
  }
}

public struct ACLBindingRuleBatchSetRequest: Record {
  public var bindingRules: [ACLBindingRule] = []

  public init() {}
  public init(_ rules: [ACLBindingRule]) { bindingRules = rules }

  public static let schema = Schema<ACLBindingRuleBatchSetRequest>("structs.ACLBindingRuleBatchSetRequest") {
    $0.field("BindingRules", \.bindingRules)
  }
}

public struct ACLBindingRuleBatchDeleteRequest: Record {
  public var bindingRuleIDs: [String] = []

  public init() {}
  public init(_ ids: [String]) { bindingRuleIDs = ids }

  public static let schema = Schema<ACLBindingRuleBatchDeleteRequest>("structs.ACLBindingRuleBatchDeleteRequest") {
    $0.field("BindingRuleIDs", \.bindingRuleIDs)
  }
}

public struct ACLAuthMethodBatchSetRequest: Record {
  public var authMethods: [ACLAuthMethod] = []

  public init() {}
  public init(_ methods: [ACLAuthMethod]) { authMethods = methods }

  public static let schema = Schema<ACLAuthMethodBatchSetRequest>("structs.ACLAuthMethodBatchSetRequest") {
    $0.field("AuthMethods", \.authMethods)
  }
}

public struct ACLAuthMethodBatchDeleteRequest: Record {
  public var authMethodNames: [String] = []

  public init() {}
  public init(_ names: [String]) { authMethodNames = names }

  public static let schema = Schema<ACLAuthMethodBatchDeleteRequest>("structs.ACLAuthMethodBatchDeleteRequest") {
    $0.field("AuthMethodNames", \.authMethodNames)
  }
}
