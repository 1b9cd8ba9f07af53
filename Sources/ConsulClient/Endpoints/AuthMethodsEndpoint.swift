import Model

/// Auth methods, binding rules, and logging in and out with them.
extension AccessControlEndpoint {
  // MARK: auth methods

  public func authMethods(_ options: QueryOptions = QueryOptions()) async throws -> [ACLAuthMethodListStub] {
    try await client.perform(APIRequest("GET", "/v1/acl/auth-methods", options)).records()
  }

  /// Nil when there is none.
  public func authMethod(_ name: String, _ options: QueryOptions = QueryOptions()) async throws -> ACLAuthMethod? {
    let response = try await client.perform(APIRequest("GET", "/v1/acl/auth-method/" + name, options), orStatus: 404)
    return response.status == 404 ? nil : try response.record()
  }

  public func create(_ method: ACLAuthMethod) async throws -> ACLAuthMethod {
    try await client.perform(APIRequest("PUT", "/v1/acl/auth-method", body: Array(method.json.utf8))).record()
  }

  public func update(_ method: ACLAuthMethod) async throws -> ACLAuthMethod {
    try await client.perform(
      APIRequest("PUT", "/v1/acl/auth-method/" + method.name, body: Array(method.json.utf8))
    ).record()
  }

  public func deleteAuthMethod(_ name: String) async throws {
    try await client.perform(APIRequest("DELETE", "/v1/acl/auth-method/" + name))
  }

  // MARK: binding rules

  /// - Parameter authMethod: "" for those of all.
  public func bindingRules(
    authMethod: String = "", _ options: QueryOptions = QueryOptions()
  ) async throws -> [ACLBindingRule] {
    var request = APIRequest("GET", "/v1/acl/binding-rules", options)
    if !authMethod.isEmpty { request.add("authmethod", authMethod) }
    return try await client.perform(request).records()
  }

  /// Nil when there is none.
  public func bindingRule(_ id: String, _ options: QueryOptions = QueryOptions()) async throws -> ACLBindingRule? {
    let response = try await client.perform(APIRequest("GET", "/v1/acl/binding-rule/" + id, options), orStatus: 404)
    return response.status == 404 ? nil : try response.record()
  }

  public func create(_ rule: ACLBindingRule) async throws -> ACLBindingRule {
    try await client.perform(APIRequest("PUT", "/v1/acl/binding-rule", body: Array(rule.json.utf8))).record()
  }

  public func update(_ rule: ACLBindingRule) async throws -> ACLBindingRule {
    try await client.perform(
      APIRequest("PUT", "/v1/acl/binding-rule/" + rule.id, body: Array(rule.json.utf8))
    ).record()
  }

  public func deleteBindingRule(_ id: String) async throws {
    try await client.perform(APIRequest("DELETE", "/v1/acl/binding-rule/" + id))
  }

  // MARK: logging in and out

  /// Exchanges a bearer token, which an auth method can vouch for, for a token of the cluster.
  /// - Parameter meta: what the token's description tells of its holder.
  public func login(authMethod: String, bearerToken: Secret, meta: [String: String] = [:]) async throws -> ACLToken {
    let body: Dynamic = [
      "AuthMethod": .string(authMethod), "BearerToken": .string(bearerToken.revealed), "Meta": Self.object(meta),
    ]
    return try await client.perform(APIRequest("POST", "/v1/acl/login", body: body.body)).record()
  }

  /// Deletes the token of the client itself, which a login made.
  public func logout() async throws {
    try await client.perform(APIRequest("POST", "/v1/acl/logout"))
  }

  /// Begins a login in the browser.
  /// - Parameters:
  ///   - redirectURI: where the provider is to send the browser afterwards.
  ///   - clientNonce: any text that is hard to guess; `finishLogin` has to repeat it.
  /// - Returns: the address to open.
  public func beginLogin(
    authMethod: String, redirectURI: String, clientNonce: String, meta: [String: String] = [:]
  ) async throws -> String {
    let body: Dynamic = [
      "AuthMethod": .string(authMethod), "RedirectURI": .string(redirectURI), "ClientNonce": .string(clientNonce),
      "Meta": Self.object(meta),
    ]
    let answer = try await client.perform(APIRequest("POST", "/v1/acl/oidc/auth-url", body: body.body)).json()
    guard let url = answer["AuthURL"]?.string else { throw ClientError.malformedResponse("no AuthURL") }
    return url
  }

  /// Finishes a login with what the browser came back with.
  public func finishLogin(
    authMethod: String, state: String, code: Secret, clientNonce: String
  ) async throws -> ACLToken {
    let body: Dynamic = [
      "AuthMethod": .string(authMethod), "State": .string(state), "Code": .string(code.revealed),
      "ClientNonce": .string(clientNonce),
    ]
    return try await client.perform(APIRequest("POST", "/v1/acl/oidc/callback", body: body.body)).record()
  }

  private static func object(_ map: [String: String]) -> Dynamic {
    .object(DynamicObject(map.map { (key: $0.key, value: .string($0.value)) }))
  }
}
