import AccessControl
import Foundation
import Model
import NIOCore
import Testing

@testable import Server
@testable import State

/// What an operator would do to make tokens and something to see: everything is called `secret`.
struct RightsWorld {
  static let management = "11111111-2222-3333-4444-555555555555"
  static let address = "192.0.2.77"

  let server: TestServer
  private(set) var session = ""
  private(set) var query = ""
  private(set) var policy = ""
  private(set) var role = ""
  private(set) var token = ""

  static var settings: AccessControlSettings {
    var settings = AccessControlSettings(nodeName: "s1")
    settings.initialManagement = Secret(management)
    return settings
  }

  /// Fills the cluster of this leader.
  init(_ leader: TestServer) async throws {
    server = leader
    while (leader.node.tokens?.knowsToken(Self.management) ?? false) == false { await Task.yield() }
    try await fillCatalog()
    var policy = ACLPolicy()
    (policy.name, policy.rules) = ("secret", "")
    self.policy = try await write(PolicySet(policy)).id
    var role = ACLRole()
    role.name = "secret"
    role.policies = [ACLLink(id: self.policy)]
    self.role = try await write(RoleSet(role)).id
    var token = ACLToken()
    token.description = "secret"
    self.token = try await write(TokenSet(token, creates: true)).accessorID
  }

  private mutating func fillCatalog() async throws {
    var node = RegisterRequest()
    (node.node, node.address) = ("secret", Self.address)
    var service = NodeService()
    (service.id, service.service) = ("secret", "secret")
    node.service = service
    var check = HealthCheck()
    (check.node, check.checkID, check.status, check.name) = ("secret", "secret", "passing", "secret")
    node.checks = [check]
    try await write(CatalogRegister(node))
    var entry = KVEntry()
    (entry.key, entry.value) = ("secret", Bytes(Array("secret".utf8)))
    try await write(KVApply(.set, entry))
    var session = Session()
    (session.node, session.name, session.behavior) = ("secret", "secret", "release")
    self.session = try await write(SessionCreate(session))
    var query = PreparedQuery()
    query.name = "secret"
    query.service.service = "secret"
    self.query = try await write(PreparedQueryApply(.create, query))
    try await write(ConfigEntryApply(ConfigEntry(ServiceDefaults(name: "secret"))))
    if server.node.settings.authority != nil {
      var intention = Intention()
      (intention.sourceName, intention.destinationName, intention.action) = ("any", "secret", Intention.allow)
      try await write(IntentionApply(.upsert, intention))
    }
    try await write(CoordinateUpdate(Self.coordinate))
    while try await server.backend.query(
      CoordinateNodes(), options(Self.management), on: server.loop
    ).value.isEmpty { await Task.yield() }
  }

  static var coordinate: NodeCoordinate {
    var coordinate = NodeCoordinate()
    coordinate.node = "secret"
    var position = Coordinate()
    position.vec = [Double](repeating: 0, count: 8)
    coordinate.coord = position
    return coordinate
  }

  @discardableResult
  func write<Request: WriteRequest>(_ request: Request) async throws -> Request.Reply {
    try await server.backend.write(request, token: Self.management, on: server.loop)
  }

  func options(_ token: String) -> QueryOptions {
    var options = QueryOptions()
    options.token = token
    return options
  }

  // MARK: tokens

  /// The secret of a new token with these rules.
  func token(_ rules: String) async throws -> String {
    var policy = ACLPolicy()
    (policy.name, policy.rules) = (UUID().uuidString, rules)
    var token = ACLToken()
    token.policies = [ACLLink(id: try await write(PolicySet(policy)).id)]
    return try await write(TokenSet(token, creates: true)).secretID.revealed
  }

  /// The rules that allow just these things.
  static func only(_ permissions: [Permission]) -> String {
    permissions.map { rule($0, $0.target.access.rawValue) }.joined(separator: "\n")
  }

  /// The rules that allow everything but these things.
  static func all(but permissions: [Permission]) -> String {
    let denied = Set(permissions.map(\.target.resource))
    var rules: [String] = []
    for kind in ["agent", "event", "identity", "key", "node", "query", "service", "session"] {
      rules.append("\(kind)_prefix \"\" { policy = \"write\" }")
    }
    for kind in ["acl", "keyring", "mesh", "operator", "peering"] where !denied.contains(where: { $0.rawValue == kind })
    {
      rules.append("\(kind) = \"write\"")
    }
    return (rules + permissions.map { rule($0, "deny") }).joined(separator: "\n")
  }

  private static func rule(_ permission: Permission, _ access: String) -> String {
    let target = permission.target
    guard let name = target.name else { return "\(target.resource.rawValue) = \"\(access)\"" }
    if target.resource == .intention {
      // A part of the rule about the service, whose own right is another question.
      let service = access == "deny" ? "write" : "deny"
      return "service \"\(name)\" { policy = \"\(service)\" intentions = \"\(access)\" }"
    }
    var kind = target.resource.rawValue
    if case .keyWritePrefix = permission { kind += "_prefix" }
    return "\(kind) \"\(name)\" { policy = \"\(access)\" }"
  }
}

extension TokenResolver {
  func knowsToken(_ secret: String) -> Bool { (try? authorizer(for: secret)) != nil }
}
