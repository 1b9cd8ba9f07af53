import Model

/// `/v1/acl`: tokens, policies, roles and templated policies, as the records of the model.
public struct AccessControlEndpoint: Sendable {
  let client: ConsulClient

  // MARK: tokens

  /// Makes the first token of a cluster.
  /// - Parameter secret: the secret that it is to have; "" for a random one.
  public func bootstrap(secret: String = "") async throws -> ACLToken {
    let body: [UInt8]? =
      secret.isEmpty ? nil : Dynamic.object(DynamicObject([("BootstrapSecret", .string(secret))])).body
    return try await client.perform(APIRequest("PUT", "/v1/acl/bootstrap", body: body)).record()
  }

  public func tokens(_ options: QueryOptions = QueryOptions()) async throws -> [ACLToken] {
    try await client.perform(APIRequest("GET", "/v1/acl/tokens", options)).records()
  }

  public func token(accessor: String, _ options: QueryOptions = QueryOptions()) async throws -> ACLToken {
    try await client.perform(APIRequest("GET", "/v1/acl/token/" + accessor, options)).record()
  }

  /// The token with all that it comes to, as a JSON object.
  public func expandedToken(accessor: String, _ options: QueryOptions = QueryOptions()) async throws -> Dynamic {
    var request = APIRequest("GET", "/v1/acl/token/" + accessor, options)
    request.add("expanded", "true")
    return try await client.perform(request).json()
  }

  /// The token of the client itself.
  public func ownToken(_ options: QueryOptions = QueryOptions()) async throws -> ACLToken {
    try await client.perform(APIRequest("GET", "/v1/acl/token/self", options)).record()
  }

  public func create(_ token: ACLToken) async throws -> ACLToken {
    try await client.perform(APIRequest("PUT", "/v1/acl/token", body: Array(token.json.utf8))).record()
  }

  public func update(_ token: ACLToken) async throws -> ACLToken {
    try await client.perform(
      APIRequest("PUT", "/v1/acl/token/" + token.accessorID, body: Array(token.json.utf8))
    ).record()
  }

  /// - Parameter description: "" takes that of the original.
  public func clone(accessor: String, description: String) async throws -> ACLToken {
    let body: Dynamic = ["Description": .string(description)]
    return try await client.perform(APIRequest("PUT", "/v1/acl/token/\(accessor)/clone", body: body.body)).record()
  }

  public func deleteToken(_ accessor: String) async throws {
    try await client.perform(APIRequest("DELETE", "/v1/acl/token/" + accessor))
  }

  // MARK: policies

  public func policies(_ options: QueryOptions = QueryOptions()) async throws -> [ACLPolicyListStub] {
    try await client.perform(APIRequest("GET", "/v1/acl/policies", options)).records()
  }

  public func policy(id: String, _ options: QueryOptions = QueryOptions()) async throws -> ACLPolicy {
    try await client.perform(APIRequest("GET", "/v1/acl/policy/" + id, options)).record()
  }

  /// Nil when there is none.
  public func policy(name: String, _ options: QueryOptions = QueryOptions()) async throws -> ACLPolicy? {
    let response = try await client.perform(APIRequest("GET", "/v1/acl/policy/name/" + name, options), orStatus: 404)
    return response.status == 404 ? nil : try response.record()
  }

  public func create(_ policy: ACLPolicy) async throws -> ACLPolicy {
    try await client.perform(APIRequest("PUT", "/v1/acl/policy", body: Array(policy.json.utf8))).record()
  }

  public func update(_ policy: ACLPolicy) async throws -> ACLPolicy {
    try await client.perform(
      APIRequest("PUT", "/v1/acl/policy/" + policy.id, body: Array(policy.json.utf8))
    ).record()
  }

  public func deletePolicy(_ id: String) async throws {
    try await client.perform(APIRequest("DELETE", "/v1/acl/policy/" + id))
  }

  // MARK: roles

  public func roles(_ options: QueryOptions = QueryOptions()) async throws -> [ACLRole] {
    try await client.perform(APIRequest("GET", "/v1/acl/roles", options)).records()
  }

  /// Nil when there is none.
  public func role(id: String, _ options: QueryOptions = QueryOptions()) async throws -> ACLRole? {
    let response = try await client.perform(APIRequest("GET", "/v1/acl/role/" + id, options), orStatus: 404)
    return response.status == 404 ? nil : try response.record()
  }

  /// Nil when there is none.
  public func role(name: String, _ options: QueryOptions = QueryOptions()) async throws -> ACLRole? {
    let response = try await client.perform(APIRequest("GET", "/v1/acl/role/name/" + name, options), orStatus: 404)
    return response.status == 404 ? nil : try response.record()
  }

  public func create(_ role: ACLRole) async throws -> ACLRole {
    try await client.perform(APIRequest("PUT", "/v1/acl/role", body: Array(role.json.utf8))).record()
  }

  public func update(_ role: ACLRole) async throws -> ACLRole {
    try await client.perform(APIRequest("PUT", "/v1/acl/role/" + role.id, body: Array(role.json.utf8))).record()
  }

  public func deleteRole(_ id: String) async throws {
    try await client.perform(APIRequest("DELETE", "/v1/acl/role/" + id))
  }

  // MARK: templated policies

  /// By name, as JSON objects.
  public func templatedPolicies(_ options: QueryOptions = QueryOptions()) async throws -> Dynamic {
    try await client.perform(APIRequest("GET", "/v1/acl/templated-policies", options)).json()
  }

  public func templatedPolicy(_ name: String, _ options: QueryOptions = QueryOptions()) async throws -> Dynamic {
    try await client.perform(APIRequest("GET", "/v1/acl/templated-policy/name/" + name, options)).json()
  }

  /// The policy that a template makes of its variables.
  public func preview(_ policy: ACLTemplatedPolicy) async throws -> ACLPolicy {
    let variables = policy.templateVariables ?? ACLTemplatedPolicyVariables()
    return try await client.perform(
      APIRequest(
        "POST", "/v1/acl/templated-policy/preview/" + policy.templateName, body: Array(variables.json.utf8))
    ).record()
  }
}

extension ConsulClient {
  public var acl: AccessControlEndpoint { AccessControlEndpoint(client: self) }
}

extension APIResponse {
  /// - Throws: `ClientError.malformedResponse`
  func record<Value: Record>() throws(ClientError) -> Value { try Self.decode(try json()) }

  func records<Value: Record>() throws(ClientError) -> [Value] {
    var records: [Value] = []
    for element in try list() { records.append(try Self.decode(element)) }
    return records
  }

  private static func decode<Value: Record>(_ json: Dynamic) throws(ClientError) -> Value {
    do throws(DecodingError) {
      return try Value(from: json, DecodingContext(.api))
    } catch {
      throw .malformedResponse(error.description)
    }
  }
}
