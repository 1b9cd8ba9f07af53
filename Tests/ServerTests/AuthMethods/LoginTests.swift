import AccessControl
import Authentication
import Model
import Synchronization
import Testing

@testable import Server
@testable import State

/// Logins on a leader, with identity providers that answer from a table.
@Suite final class LoginTests {
  /// Answers every request with what a test says.
  private final class Provider: ProviderTransport {
    let answers = Mutex<[String: OutboundResponse]>([:])
    let asked = Mutex<[String]>([])
    /// Runs before an answer goes out.
    let between = Mutex<(@Sendable () -> Void)?>(nil)

    func perform(
      _ request: OutboundRequest, _ completion: @escaping @Sendable (Result<OutboundResponse, OutboundFailure>) -> Void
    ) {
      asked.withLock { $0.append(request.url) }
      between.withLock { $0 }?()
      let answer = answers.withLock { $0[request.url] }
      completion(answer.map { .success($0) } ?? .failure(OutboundFailure("connection refused")))
    }

    func answer(_ url: String, _ json: String) {
      answers.withLock { $0[url] = OutboundResponse(status: 200, body: Array(json.utf8)) }
    }
  }

  private struct Management: AuthorizerResolver {
    func authorizer(for token: String) throws(AccessControlError) -> any Authorizer { AllowAll.shared }
  }

  private let store = StateStore()
  private let provider = Provider()
  private let service: LoginService
  private let index = Mutex<UInt64>(0)

  private let log = LogLines()

  init() {
    service = LoginService(provider, logger: log.logger)
  }

  private func context() -> WriteContext {
    var context = WriteContext(
      state: store.current, datacenter: "dc1", sessionTTLMinimum: .seconds(10), isLockDelayed: { _ in false },
      renewSession: { _ in true })
    context.access = RequestAccess("", Management())
    context.logins = service
    context.now = WallClock.now()
    context.current = { [store] in store.current }
    return context
  }

  private func apply(_ command: Command) -> CommandResult {
    store.apply(
      index: index.withLock {
        $0 += 1
        return $0
      }, command)
  }

  private func carryOut<Reply>(_ prepared: PreparedWrite<Reply>) throws -> Reply {
    switch prepared {
    case .immediate(let reply): return reply
    case .command(let command, let meaning): return try meaning(apply(command))
    case .later(let begin):
      let result = Mutex<Result<PreparedWrite<Reply>, ServerError>?>(nil)
      begin { value in result.withLock { $0 = value } }
      return try carryOut(try #require(result.withLock { $0 }).get())
    }
  }

  private func write<Request: WriteRequest>(_ request: Request) throws -> Request.Reply {
    try carryOut(request.prepare(context()))
  }

  // MARK: an auth method whose provider is the table

  private let reviews = "https://k8s/apis/authentication.k8s.io/v1/tokenreviews"

  /// A certificate of some authority. Nothing here looks at it.
  private static let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBbjCCARWgAwIBAgIUHY+qRYGiG8HV3zgH5nksC1AHcIgwCgYIKoZIzj0EAwIw
    DTELMAkGA1UEAwwCY2EwHhcNMjYxMTIxMDAyMjQ5WhcNMjYxMjIxMDAyMjQ5WjAN
    MQswCQYDVQQDDAJjYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBLH/4a447t2
    DRkU8UFBN6295T8eQsA5wbHUCj/wdLct7WitH2bTjgZAUdNQo0pGjypgqyKTNiZ2
    IZamR7uEN8ujUzBRMB0GA1UdDgQWBBTfWUA+W99iYES60+3dZYXipayAiTAfBgNV
    HSMEGDAWgBTfWUA+W99iYES60+3dZYXipayAiTAPBgNVHRMBAf8EBTADAQH/MAoG
    CCqGSM49BAMCA0cAMEQCIAGepfNbq4Ps/Ag/AqPuDlmPrHJgL6dRijII1afXeThd
    AiA6/9jjzgcI0FmgrL9scih0iyc8XjVMvQkPGyS3k99E5A==
    -----END CERTIFICATE-----

    """
  private static let bearer = Secret("eyJhbGciOiJSUzI1NiJ9.e30.AAAA")

  private func prepare(_ change: (inout ACLAuthMethod) -> Void = { _ in }) throws {
    var method = ACLAuthMethod()
    (method.name, method.type) = ("k8s", "kubernetes")
    method.config["Host"] = "https://k8s"
    method.config["CACert"] = .string(Self.authority)
    method.config["ServiceAccountJWT"] = .string(Self.bearer.revealed)
    change(&method)
    _ = try write(AuthMethodSet(method))
    provider.answer(
      reviews, #"{"status":{"authenticated":true,"user":{"username":"system:serviceaccount:default:web","uid":"1"}}}"#)
    provider.answer("https://k8s/api/v1/namespaces/default/serviceaccounts/web", "{}")
  }

  private func rule(_ type: String, _ name: String, selector: String = "") throws {
    var rule = ACLBindingRule()
    (rule.authMethod, rule.bindType, rule.bindName, rule.selector) = ("k8s", type, name, selector)
    _ = try write(BindingRuleSet(rule))
  }

  private func login(meta: StringMap = StringMap()) throws -> ACLToken {
    try write(Login(authMethod: "k8s", bearerToken: Self.bearer, meta: meta))
  }

  @Test func `An identity gets what its rules give, and whoever gets nothing is refused`() throws {
    try prepare()
    #expect(throws: ServerError.permissionDenied("")) { try login() }
    try rule("service", "${serviceaccount.name}", selector: "serviceaccount.namespace==other")
    try rule("role", "absent")
    #expect(throws: ServerError.permissionDenied("")) { try login() }
    try rule("service", "svc-${serviceaccount.name}")
    try rule("node", "n")
    let token = try login(meta: StringMap([(key: "zone", value: "z"), (key: "pod", value: "p")]))
    #expect(token.serviceIdentities.map(\.serviceName) == ["svc-web"])
    #expect(token.nodeIdentities.map(\.datacenter) == ["dc1"])
    #expect(token.description == #"token created via login: {"pod":"p","zone":"z"}"#)
    #expect(token.local && token.authMethod == "k8s" && token.expirationTime == nil)
    #expect(store.current.aclToken(secret: token.secretID).value?.accessorID == token.accessorID)
  }

  @Test func `Tokens last as long as their method says, and go with it`() throws {
    try prepare {
      $0.maxTokenTTL = .minutes(5)
      $0.tokenLocality = "global"
    }
    try rule("service", "web")
    let token = try login()
    #expect(token.expirationTime == token.createTime.adding(.minutes(5)) && !token.local)
    #expect(try write(AuthMethodDelete(name: "k8s")))
    #expect(store.current.aclToken(accessor: token.accessorID).value == nil)
    #expect(store.current.aclBindingRules().value.isEmpty)
    #expect(throws: ServerError.accessObjectNotFound("auth method \"k8s\" not found")) { try login() }
    #expect(try !write(AuthMethodDelete(name: "k8s")))
  }

  @Test func `A method that is deleted while its provider is asked makes no token`() throws {
    try prepare()
    try rule("service", "web")
    provider.between.withLock { between in
      between = { [store] in
        _ = store.apply(
          index: 1000, .accessControl(.deleteAuthMethods(ACLAuthMethodBatchDeleteRequest(["k8s"]))))
      }
    }
    #expect(throws: ServerError.accessObjectNotFound("auth method \"k8s\" not found")) { try login() }
    #expect(store.current.aclTokens(.authMethod("k8s")).value.isEmpty)
  }

  @Test func `Changed settings are used by the next login`() throws {
    try prepare()
    try rule("service", "web")
    _ = try login()
    try prepare { $0.config["Host"] = "https://moved" }
    #expect(throws: ServerError.self) { try login() }
    #expect(provider.asked.withLock { $0.last?.hasPrefix("https://moved/") == true })
  }

  @Test func `Only tokens of logins log out, once`() throws {
    try prepare()
    try rule("service", "web")
    let token = try login()
    #expect(try write(Logout(token.secretID)))
    #expect(throws: ServerError.tokenNotFound) { try write(Logout(token.secretID)) }
    var own = ACLToken()
    own.description = "made by hand"
    let made = try write(TokenSet(own, creates: true))
    #expect(throws: ServerError.permissionDenied("token wasn't created via login")) {
      try write(Logout(made.secretID))
    }
  }

  @Test func `The log tells who came and went, and no secret`() throws {
    try prepare()
    try rule("service", "web")
    try rule("node", "n")
    let token = try login()
    _ = try write(Logout(token.secretID))
    let lines = log.lines
    #expect(
      lines
        == ["login", "logout"].map {
          "info \($0) accessor=\(token.accessorID) auth_method=k8s bindings=service:web,node:n local=true"
        })
    #expect(!lines.contains { $0.contains(token.secretID.revealed) || $0.contains(Self.bearer.revealed) })
  }

  @Test(arguments: [
    ("", "kubernetes", "", GoDuration.zero, "Invalid Auth Method: no Name is set"),
    ("bad name", "kubernetes", "", .zero, "Invalid Auth Method: invalid Name."),
    ("x", "bogus", "", .zero, "Invalid Auth Method: Type should be one of: [aws-iam jwt kubernetes oidc]"),
    ("x", "kubernetes", "galactic", .zero, "TokenLocality should be one of 'local' or 'global'"),
    ("x", "kubernetes", "", .seconds(1), "MaxTokenTTL 1s cannot be less than 1m0s"),
    ("k8s", "jwt", "", .zero, "the Type field of an Auth Method is immutable"),
    ("x", "kubernetes", "", .zero, "Invalid Auth Method: Config.Host is required"),
  ])
  func `Methods that break a rule are refused`(
    _ name: String, _ type: String, _ locality: String, _ ttl: GoDuration, _ expected: String
  ) throws {
    try prepare()
    var method = ACLAuthMethod()
    (method.name, method.type, method.tokenLocality, method.maxTokenTTL) = (name, type, locality, ttl)
    let error = #expect(throws: ServerError.self) { try write(AuthMethodSet(method)) }
    #expect(try #require(error).description.contains(expected))
  }

  @Test func `Rules keep their method`() throws {
    try prepare()
    try rule("service", "web")
    var rule = try #require(store.current.aclBindingRules().value.first?.value)
    rule.authMethod = "other"
    #expect(throws: ServerError.invalid("the AuthMethod field of an Binding Rule is immutable")) {
      try write(BindingRuleSet(rule))
    }
    rule.authMethod = ""
    rule.bindName = "changed"
    #expect(try write(BindingRuleSet(rule)).authMethod == "k8s")
    #expect(try write(BindingRuleDelete(id: rule.id)) && !write(BindingRuleDelete(id: rule.id)))
  }
}
