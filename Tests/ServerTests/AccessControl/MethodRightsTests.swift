import AccessControl
import Model
import NIOCore
import Testing

@testable import Server

/// Every method of the server port without a token, with one that may do everything but what the method needs, and with one
/// that may do just that. The table has to know every method: one that is missing fails the suite.
@Suite struct MethodRightsTests {
  private enum Refusal {
    case denied
    /// The answer leaves out what the token may not see, and says so to whoever has a token.
    case hidden
    /// The same without a word.
    case silent
    /// The answer itself tells it.
    case told
  }

  private struct Case: Sendable {
    let body: @Sendable (RightsWorld, _ token: String) -> [UInt8]
    let needs: [Permission]
    let refusal: Refusal
    /// What only those see who may.
    var secret = "secret"
    /// The error that even they get.
    var failure = ""
    /// Whether they may get some error that is no refusal.
    var mayFail = false
  }

  private static func read<Query: ReadQuery>(
    _ needs: [Permission], _ refusal: Refusal = .hidden, secret: String = "secret",
    _ query: @escaping @Sendable (RightsWorld) -> Query
  ) -> (String, Case?) {
    (
      Query.method,
      Case(
        body: { world, token in
          var request = query(world).request
          request.options.token = token
          return request.messagePack
        }, needs: needs, refusal: refusal, secret: secret)
    )
  }

  private static func write<Request: WriteRequest>(
    _ needs: [Permission], _ refusal: Refusal = .denied, mayFail: Bool = false,
    _ request: @escaping @Sendable (RightsWorld) -> Request
  ) -> (String, Case?) {
    (
      Request.method,
      Case(
        body: { world, token in
          var request = request(world).request
          request.token = token
          return request.messagePack
        }, needs: needs, refusal: refusal, mayFail: mayFail)
    )
  }

  private static func plain<Request: RPCReadRequest>(
    _ method: String, _ needs: [Permission], _ request: Request, mayFail: Bool = false
  ) -> (String, Case?) {
    (
      method,
      Case(
        body: { _, token in
          var request = request
          request.options.token = token
          return request.messagePack
        }, needs: needs, refusal: .denied, mayFail: mayFail)
    )
  }

  private static func keyring(_ operation: String) -> KeyringRequest {
    var request = KeyringRequest()
    request.operation = operation
    return request
  }

  private static var event: EventFireRequest {
    var request = EventFireRequest()
    request.name = "secret"
    return request
  }

  /// Needs no right, or asks for none of its own.
  private static func open(_ method: String) -> (String, Case?) { (method, nil) }

  /// Whoever may see one end of an intention sees what is between the two.
  private static let ends: [Permission] = [.intentionRead("secret"), .intentionRead("any")]
  private static let instance: [Permission] = [.nodeRead("secret"), .serviceRead("secret")]

  private static let table: [(String, Case?)] = [
    open("Status.Ping"), open("Status.Leader"), open("Status.Peers"), open("Status.RaftStats"),
    open("Catalog.ListDatacenters"), open("Coordinate.ListDatacenters"),
    // An introduction is what it asks for, in place of a token.
    open("AutoConfig.InitialConfiguration"),
    write([.nodeWrite("new")]) { _ in
      var request = RegisterRequest()
      (request.node, request.address) = ("new", "192.0.2.1")
      return CatalogRegister(request)
    },
    write([.nodeWrite("gone")]) { _ in
      var request = DeregisterRequest()
      request.node = "gone"
      return CatalogDeregister(request)
    },
    read([.nodeRead("secret")]) { _ in CatalogNodes() },
    read([.serviceRead("secret")]) { _ in CatalogServices() },
    read([.serviceRead("secret")]) { _ in CatalogServiceList() },
    read(instance) { _ in CatalogServiceNodes(service: "secret") },
    read(instance) { _ in CatalogNodeServices(node: "secret") },
    read(instance) { _ in CatalogNodeServiceList(node: "secret") },
    read([.serviceRead("secret")], .denied, secret: "") { _ in VirtualIPForService(service: "secret") },
    read([.nodeRead("secret")]) { _ in CatalogByAddress(address: RightsWorld.address) },
    read(instance) { _ in HealthServiceNodes(service: "secret") },
    read([.nodeRead("secret")]) { _ in HealthNodeChecks(node: "secret") },
    read([.nodeRead("secret")]) { _ in HealthChecksInState(status: "any") },
    // The check is the node's: of the service there is none.
    read([.nodeRead("secret")], .silent, secret: "") { _ in HealthServiceChecks(service: "secret") },
    read([.nodeRead("secret")]) { _ in CoordinateNodes() },
    read([.nodeRead("secret")]) { _ in CoordinateNode(node: "secret") },
    write([.nodeWrite("secret")]) { _ in CoordinateUpdate(RightsWorld.coordinate) },
    read(instance) { _ in NodeDetailsList() },
    read(instance) { _ in NodeDetailsQuery(node: "secret") },
    read(instance) { _ in ServiceDump() },
    read([.keyRead("secret")], .denied) { _ in KVGet(key: "secret") },
    read([.keyRead("secret")]) { _ in KVList(prefix: "") },
    read([.keyRead("secret")]) { _ in KVKeys(prefix: "", separator: "") },
    write([.keyWrite("other")]) { _ in KVApply(.set, entry("other")) },
    write([.keyWritePrefix("oth")]) { _ in KVApply(.deleteTree, entry("oth")) },
    read([.sessionRead("secret")]) { SessionGet(id: $0.session) },
    read([.sessionRead("secret")]) { _ in SessionList() },
    read([.sessionRead("secret")]) { _ in NodeSessions(node: "secret") },
    write([.sessionWrite("secret")]) { SessionRenew(id: $0.session) },
    write([.sessionWrite("secret")]) { _ in
      var session = Session()
      session.node = "secret"
      return SessionCreate(session)
    },
    read([.keyRead("secret")]) { _ in TxnRead([operation("get", "secret")]) },
    write([.keyWrite("other")], .told) { _ in TxnApply([operation("set", "other")]) },
    read([.queryRead("secret")]) { _ in PreparedQueryList() },
    read([.queryRead("secret")], .denied) { PreparedQueryGet(id: $0.query) },
    read([.queryRead("secret")], .denied) { _ in PreparedQueryExplain("secret", agent: QuerySource()) },
    read(instance, secret: RightsWorld.address) { _ in
      PreparedQueryExecute("secret", agent: QuerySource(), source: QuerySource(), datacenter: "dc1")
    },
    read(instance, secret: RightsWorld.address) { _ in
      var query = PreparedQuery()
      query.service.service = "secret"
      return PreparedQueryExecuteRemote(query, limit: 0, connect: false, datacenter: "dc1")
    },
    write([.queryWrite("secret")]) { world in
      var query = PreparedQuery()
      (query.id, query.name) = (world.query, "secret")
      query.service.service = "secret"
      return PreparedQueryApply(.update, query)
    },
    // Makes the first token, when there is none that could be asked for.
    open("ACL.BootstrapTokens"),
    // A token's own policies and roles: see below.
    open("ACL.PolicyResolve"), open("ACL.RoleResolve"),
    // What the token of the request may do; how far a datacenter has followed another.
    open("ACL.Authorize"), open("ACL.ReplicationStatus"),
    write([.aclWrite]) { _ in TokenSet(ACLToken(), creates: true) },
    write([.aclWrite]) { TokenClone(accessor: $0.token, description: "new") },
    write([.aclWrite]) { _ in TokenDelete(accessor: Identifier.random(), requester: Secret()) },
    write([.aclWrite]) { _ in
      var policy = ACLPolicy()
      policy.name = Identifier.random()
      return PolicySet(policy)
    },
    write([.aclWrite]) { _ in PolicyDelete(id: Identifier.random()) },
    write([.aclWrite]) { world in
      var role = ACLRole()
      role.name = Identifier.random()
      role.policies = [ACLLink(id: world.policy)]
      return RoleSet(role)
    },
    write([.aclWrite]) { _ in RoleDelete(id: Identifier.random()) },
    read([.aclRead], .denied) { TokenRead(.accessor($0.token), datacenter: "dc1") },
    read([.aclRead], .denied) { _ in TokenList(.all) },
    read([.aclRead], .denied) { TokenBatchRead([$0.token]) },
    read([.aclRead], .denied) { PolicyBatchRead([$0.policy]) },
    read([.aclRead], .denied) { RoleBatchRead([$0.role]) },
    read([.aclRead], .denied) { PolicyRead(id: $0.policy) },
    read([.aclRead], .denied) { _ in PolicyList() },
    read([.aclRead], .denied) { RoleRead(id: $0.role) },
    read([.aclRead], .denied) { _ in RoleList(policy: "") },
    // Whoever can prove who they are, or has the token that is to end.
    open("ACL.Login"), open("ACL.Logout"), open("ACL.OIDCAuthURL"), open("ACL.OIDCCallback"),
    write([.aclWrite], mayFail: true) { _ in AuthMethodSet(ACLAuthMethod()) },
    write([.aclWrite], mayFail: true) { _ in AuthMethodDelete(name: "none") },
    write([.aclWrite], mayFail: true) { _ in BindingRuleSet(ACLBindingRule()) },
    write([.aclWrite], mayFail: true) { _ in BindingRuleDelete(id: Identifier.random()) },
    read([.aclRead], .denied) { _ in AuthMethodRead(name: "none") },
    read([.aclRead], .denied) { _ in AuthMethodList() },
    read([.aclRead], .denied) { _ in BindingRuleRead(id: Identifier.random()) },
    read([.aclRead], .denied) { _ in BindingRuleList() },
    // Everybody has to know whom to trust. What a certificate needs depends on whose it is: see the tests of the authority.
    open("ConnectCA.Roots"), open("ConnectCA.Sign"),
    read([.operatorWrite], .denied, secret: "") { _ in ConnectCAConfigurationGet() },
    write([.operatorWrite], mayFail: true) { _ in ConnectCAConfigurationSet(CAConfiguration()) },
    read([.serviceRead("secret")], .denied) { _ in ConfigEntryGet(.serviceDefaults, "secret") },
    read([.serviceRead("secret")], .silent) { _ in ConfigEntryList(.serviceDefaults) },
    read([.serviceRead("secret")], .silent) { _ in ConfigEntryListAll([.serviceDefaults]) },
    write([.serviceWrite("secret")]) { _ in ConfigEntryApply(ConfigEntry(ServiceDefaults(name: "secret"))) },
    write([.meshWrite]) { _ in ConfigEntryApply(ConfigEntry(MeshDefaults())) },
    write([.serviceWrite("absent")]) { _ in ConfigEntryDelete(.serviceDefaults, "absent") },
    read([.serviceRead("secret")], .denied) { _ in DiscoveryChainGet("secret") },
    read([.meshRead], .denied, secret: "") { _ in SharedServices() },
    read(ends) { _ in IntentionList() },
    read(ends, .denied) { _ in
      IntentionGet(.ends(source: "any", destination: "secret"))
    },
    read([.intentionRead("secret")], .denied) { _ in IntentionMatch(["secret"], as: .destination) },
    read([.serviceRead("secret")], .denied, secret: "") { _ in IntentionCheck(source: "a", destination: "secret") },
    write([.intentionWrite("secret")]) { _ in
      var intention = Intention()
      (intention.sourceName, intention.destinationName, intention.action) = ("other", "secret", Intention.allow)
      return IntentionApply(.upsert, intention)
    },
    read([.operatorRead], .denied, secret: "") { _ in UsageQuery(datacenter: "dc1") },
    read([.operatorRead], .denied, secret: "") { _ in AutopilotGetConfiguration() },
    write([.operatorWrite]) { _ in AutopilotSetConfiguration(AutopilotConfiguration()) },
    plain("Operator.RaftGetConfiguration", [.operatorRead], DCSpecificRequest()),
    plain("Operator.ServerHealth", [.operatorRead], DCSpecificRequest()),
    plain("Operator.AutopilotState", [.operatorRead], DCSpecificRequest()),
    // There is no gossip in these tests.
    plain("Internal.KeyringOperation", [.keyringRead], keyring("list"), mayFail: true),
    plain("Internal.KeyringOperation", [.keyringWrite], keyring("install"), mayFail: true),
    plain("Internal.EventFire", [.eventWrite("secret")], event, mayFail: true),
    removal("Operator.RaftRemovePeerByID"), removal("Operator.RaftRemovePeerByAddress"),
  ]

  private static func entry(_ key: String) -> KVEntry {
    var entry = KVEntry()
    entry.key = key
    return entry
  }

  private static func operation(_ verb: String, _ key: String) -> TxnOp {
    var op = TxnOp()
    var kv = TxnKVOp()
    (kv.verb, kv.dirEnt.key) = (verb, key)
    op.kv = kv
    return op
  }

  private static func removal(_ method: String) -> (String, Case?) {
    (
      method,
      Case(
        body: { _, token in
          var request = RaftRemovePeerRequest()
          (request.id, request.token) = ("nobody", token)
          return request.messagePack
        }, needs: [.operatorWrite], refusal: .denied, failure: "was not found")
    )
  }

  // MARK: the walk

  private struct Answer {
    var text = ""
    var error = ""
    /// Whether it says that something is missing in it.
    var isFiltered = false
  }

  /// `ResultsFilteredByACLs: true` in MessagePack.
  private static let filtered = Array("ResultsFilteredByACLs".utf8) + [0xc3]

  private func answer(_ server: TestServer, _ method: String, _ body: [UInt8]) async -> Answer {
    do {
      let bytes = try await server.client.call(method, body, to: server.address, on: server.loop)
      let text = String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x2e }, as: UTF8.self)
      return Answer(text: text, isFiltered: bytes.firstRange(of: Self.filtered) != nil)
    } catch {
      return Answer(error: "\(error)")
    }
  }

  @Test func noTokenButTheRightOneGetsThrough() async throws {
    let server = try await TestServer(
      1, of: ["127.87.9.2"], accessControl: RightsWorld.settings,
      coordinatePeriod: GoDuration(nanoseconds: 20_000_000), authority: AuthoritySettings())
    let world = try await RightsWorld(server)
    let (names, known) = (Set(server.methods.names), Set(Self.table.map(\.0)))
    #expect(names.subtracting(known) == [] && known.subtracting(names) == [])
    for (method, item) in Self.table {
      guard let item else { continue }
      let others = try await world.token(RightsWorld.all(but: item.needs))
      for token in ["", others] {
        let answer = await answer(server, method, item.body(world, token))
        let what: Comment = "\(method) with \(token.isEmpty ? "no token" : "all but the right"): \(answer)"
        switch item.refusal {
        case .denied: #expect(answer.error.contains("Permission denied"), what)
        case .told: #expect(answer.text.contains("Permission denied"), what)
        case .silent: #expect(answer.error.isEmpty, what)
        case .hidden:
          #expect(answer.error.isEmpty && !answer.text.contains(item.secret), what)
          #expect(answer.isFiltered == !token.isEmpty, what)
        }
      }
      let unknown = await answer(server, method, item.body(world, "99999999-0000-0000-0000-000000000000"))
      #expect(unknown.error.contains("ACL not found"), "\(method): \(unknown)")
      let exact = try await world.token(RightsWorld.only(item.needs))
      let found = await answer(server, method, item.body(world, exact))
      let what: Comment = "\(method) with the right: \(found)"
      if item.mayFail {
        #expect(!found.error.contains("Permission denied") && !found.error.contains("ACL not found"), what)
      } else {
        #expect(item.failure.isEmpty ? found.error.isEmpty : found.error.contains(item.failure), what)
      }
      #expect(!found.text.contains("Permission denied"), what)
      if item.refusal == .hidden { #expect(found.text.contains(item.secret), what) }
    }
    await server.stop()
  }
}
