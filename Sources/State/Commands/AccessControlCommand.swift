import Model

/// A change of who may do what (wire/raft.md part C, types 11 and 17 to 28).
public enum AccessControlCommand: Sendable, Equatable {
  case bootstrap(ACLTokenBootstrapRequest)
  case setTokens(ACLTokenBatchSetRequest)
  case deleteTokens(ACLTokenBatchDeleteRequest)
  case setPolicies(ACLPolicyBatchSetRequest)
  case deletePolicies(ACLPolicyBatchDeleteRequest)
  case setRoles(ACLRoleBatchSetRequest)
  case deleteRoles(ACLRoleBatchDeleteRequest)
  case setBindingRules(ACLBindingRuleBatchSetRequest)
  case deleteBindingRules(ACLBindingRuleBatchDeleteRequest)
  case setAuthMethods(ACLAuthMethodBatchSetRequest)
  case deleteAuthMethods(ACLAuthMethodBatchDeleteRequest)

  var type: UInt8 {
    switch self {
    case .bootstrap: 11
    case .setTokens: 17
    case .deleteTokens: 18
    case .setPolicies: 19
    case .deletePolicies: 20
    case .setRoles: 23
    case .deleteRoles: 24
    case .setBindingRules: 25
    case .deleteBindingRules: 26
    case .setAuthMethods: 27
    case .deleteAuthMethods: 28
    }
  }

  func encode(_ writer: inout MessagePackWriter) {
    switch self {
    case .bootstrap(let request): request.encode(&writer)
    case .setTokens(let request): request.encode(&writer)
    case .deleteTokens(let request): request.encode(&writer)
    case .setPolicies(let request): request.encode(&writer)
    case .deletePolicies(let request): request.encode(&writer)
    case .setRoles(let request): request.encode(&writer)
    case .deleteRoles(let request): request.encode(&writer)
    case .setBindingRules(let request): request.encode(&writer)
    case .deleteBindingRules(let request): request.encode(&writer)
    case .setAuthMethods(let request): request.encode(&writer)
    case .deleteAuthMethods(let request): request.encode(&writer)
    }
  }

  /// Nil for types of other commands, of which nothing is read then.
  init?(type: UInt8, _ reader: inout MessagePackReader) throws(MessagePackError) {
    switch type {
    case 11: self = .bootstrap(try ACLTokenBootstrapRequest(from: &reader))
    case 17: self = .setTokens(try ACLTokenBatchSetRequest(from: &reader))
    case 18: self = .deleteTokens(try ACLTokenBatchDeleteRequest(from: &reader))
    case 19: self = .setPolicies(try ACLPolicyBatchSetRequest(from: &reader))
    case 20: self = .deletePolicies(try ACLPolicyBatchDeleteRequest(from: &reader))
    case 23: self = .setRoles(try ACLRoleBatchSetRequest(from: &reader))
    case 24: self = .deleteRoles(try ACLRoleBatchDeleteRequest(from: &reader))
    case 25: self = .setBindingRules(try ACLBindingRuleBatchSetRequest(from: &reader))
    case 26: self = .deleteBindingRules(try ACLBindingRuleBatchDeleteRequest(from: &reader))
    case 27: self = .setAuthMethods(try ACLAuthMethodBatchSetRequest(from: &reader))
    case 28: self = .deleteAuthMethods(try ACLAuthMethodBatchDeleteRequest(from: &reader))
    default: return nil
    }
  }
}
