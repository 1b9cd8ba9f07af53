import Model
import State

/// A kind of things that a secondary datacenter takes over from the primary.
protocol ReplicatedKind: Sendable {
  associatedtype Item: Record
  associatedtype List: ReadQuery
  associatedtype Batch: ReadQuery

  /// For the log and for errors.
  static var name: String { get }
  /// What the primary has.
  static var list: List { get }
  static func outlines(_ list: List.Reply) -> [ReplicatedOutline]
  /// The things with these ids, those that are left.
  static func batch(_ ids: [String]) -> Batch
  /// - Throws: `ServerError` if the primary keeps back what is needed.
  static func items(_ batch: Batch.Reply) throws(ServerError) -> [Item]
  /// What this datacenter has of what the primary might have.
  static func outlines(_ state: StateSnapshot) -> [ReplicatedOutline]
  /// Whether everything that they name is here: else they would mean less here than in the primary.
  static func areComplete(_ items: [Item], _ state: StateSnapshot) -> Bool
  static func upsert(_ items: [Item]) -> AccessControlCommand
  static func deletion(_ ids: [String]) -> AccessControlCommand
  static func note(_ index: UInt64, _ status: inout ACLReplicationStatus)
}

extension ReplicatedKind {
  static func areComplete(_ items: [Item], _ state: StateSnapshot) -> Bool { true }
}

enum ReplicatedPolicies: ReplicatedKind {
  static let name = "policy"
  static var list: PolicyList { PolicyList() }

  static func outlines(_ list: [ACLPolicyListStub]) -> [ReplicatedOutline] {
    list.map { ReplicatedOutline(id: $0.id, name: $0.name, hash: $0.hash) }
  }

  static func batch(_ ids: [String]) -> PolicyBatchRead { PolicyBatchRead(ids) }
  static func items(_ batch: [ACLPolicy]) -> [ACLPolicy] { batch }

  static func outlines(_ state: StateSnapshot) -> [ReplicatedOutline] {
    state.aclPolicies().value.map { row in
      ReplicatedOutline(id: row.value.id, name: row.value.name, hash: row.value.hash)
    }
  }

  static func upsert(_ items: [ACLPolicy]) -> AccessControlCommand { .setPolicies(ACLPolicyBatchSetRequest(items)) }
  static func deletion(_ ids: [String]) -> AccessControlCommand { .deletePolicies(ACLPolicyBatchDeleteRequest(ids)) }
  static func note(_ index: UInt64, _ status: inout ACLReplicationStatus) { status.replicatedIndex = index }
}

enum ReplicatedRoles: ReplicatedKind {
  static let name = "role"
  static var list: RoleList { RoleList(policy: "") }

  static func outlines(_ list: [ACLRole]) -> [ReplicatedOutline] {
    list.map { ReplicatedOutline(id: $0.id, name: $0.name, hash: $0.hash) }
  }

  static func batch(_ ids: [String]) -> RoleBatchRead { RoleBatchRead(ids) }
  static func items(_ batch: [ACLRole]) -> [ACLRole] { batch }
  static func outlines(_ state: StateSnapshot) -> [ReplicatedOutline] { outlines(state.aclRoles().value) }

  static func areComplete(_ items: [ACLRole], _ state: StateSnapshot) -> Bool {
    items.allSatisfy { $0.policies.allSatisfy { state.aclPolicy(id: $0.id).value != nil } }
  }

  /// What a role names may be deleted meanwhile.
  static func upsert(_ items: [ACLRole]) -> AccessControlCommand {
    var request = ACLRoleBatchSetRequest(items)
    request.allowMissingLinks = true
    return .setRoles(request)
  }

  static func deletion(_ ids: [String]) -> AccessControlCommand { .deleteRoles(ACLRoleBatchDeleteRequest(ids)) }
  static func note(_ index: UInt64, _ status: inout ACLReplicationStatus) { status.replicatedRoleIndex = index }
}

/// Global tokens; those of this datacenter alone are nobody else's business.
enum ReplicatedTokens: ReplicatedKind {
  static let name = "token"

  static var list: TokenList {
    var list = TokenList(.all)
    list.includesLocal = false
    return list
  }

  static func outlines(_ list: [ACLToken]) -> [ReplicatedOutline] {
    list.lazy.filter { !$0.local }.map {
      ReplicatedOutline(id: $0.accessorID, hash: $0.hash, createTime: $0.createTime)
    }
  }

  static func batch(_ ids: [String]) -> TokenBatchRead { TokenBatchRead(ids) }

  static func items(_ batch: TokenBatchRead.Found) throws(ServerError) -> [ACLToken] {
    if batch.isRedacted {
      throw .invalid("the replication token cannot read the secrets of tokens: it lacks 'acl:write' in the primary")
    }
    return batch.tokens.filter { !$0.local }
  }

  static func outlines(_ state: StateSnapshot) -> [ReplicatedOutline] { outlines(state.aclTokens().value) }

  static func areComplete(_ items: [ACLToken], _ state: StateSnapshot) -> Bool {
    items.allSatisfy { token in
      token.policies.allSatisfy { state.aclPolicy(id: $0.id).value != nil }
        && token.roles.allSatisfy { state.aclRole(id: $0.id).value != nil }
    }
  }

  /// What a token names may be deleted meanwhile; auth methods of the primary are never here.
  static func upsert(_ items: [ACLToken]) -> AccessControlCommand {
    var request = ACLTokenBatchSetRequest()
    request.tokens = items
    request.allowMissingLinks = true
    request.fromReplication = true
    return .setTokens(request)
  }

  static func deletion(_ ids: [String]) -> AccessControlCommand { .deleteTokens(ACLTokenBatchDeleteRequest(ids)) }
  static func note(_ index: UInt64, _ status: inout ACLReplicationStatus) { status.replicatedTokenIndex = index }
}
