import Model
import State

// How auth methods, binding rules and logins travel.

extension AuthMethodRead {
  public var request: ACLAuthMethodGetRequest {
    var request = ACLAuthMethodGetRequest()
    request.authMethodName = name
    return request
  }

  public init(request: ACLAuthMethodGetRequest) { self.init(name: request.authMethodName) }

  public static func response(_ reply: Row<ACLAuthMethod>?) -> ACLAuthMethodResponse {
    var response = ACLAuthMethodResponse()
    response.authMethod = reply
    return response
  }

  public static func reply(_ response: ACLAuthMethodResponse) -> Row<ACLAuthMethod>? { response.authMethod }
}

extension AuthMethodList {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }

  public static func response(_ reply: [ACLAuthMethodListStub]) -> ACLAuthMethodListResponse {
    var response = ACLAuthMethodListResponse()
    response.authMethods = reply
    return response
  }

  public static func reply(_ response: ACLAuthMethodListResponse) -> [ACLAuthMethodListStub] { response.authMethods }
}

extension BindingRuleRead {
  public var request: ACLBindingRuleGetRequest {
    var request = ACLBindingRuleGetRequest()
    request.bindingRuleID = id
    return request
  }

  public init(request: ACLBindingRuleGetRequest) { self.init(id: request.bindingRuleID) }

  public static func response(_ reply: Row<ACLBindingRule>?) -> ACLBindingRuleResponse {
    var response = ACLBindingRuleResponse()
    response.bindingRule = reply
    return response
  }

  public static func reply(_ response: ACLBindingRuleResponse) -> Row<ACLBindingRule>? { response.bindingRule }
}

extension BindingRuleList {
  public var request: ACLBindingRuleListRequest {
    var request = ACLBindingRuleListRequest()
    request.authMethod = authMethod
    return request
  }

  public init(request: ACLBindingRuleListRequest) { self.init(authMethod: request.authMethod) }

  public static func response(_ reply: [Row<ACLBindingRule>]) -> ACLBindingRuleListResponse {
    var response = ACLBindingRuleListResponse()
    response.bindingRules = reply
    return response
  }

  public static func reply(_ response: ACLBindingRuleListResponse) -> [Row<ACLBindingRule>] { response.bindingRules }
}

extension AuthMethodSet {
  public var request: ACLAuthMethodSetRequest {
    var request = ACLAuthMethodSetRequest()
    request.authMethod = record
    return request
  }

  public init(request: ACLAuthMethodSetRequest) { self.init(request.authMethod) }
  public func response(_ reply: ACLAuthMethod) -> ACLAuthMethod { reply }
  public func reply(_ response: ACLAuthMethod) -> ACLAuthMethod { response }
}

extension AuthMethodDelete {
  public var request: ACLAuthMethodDeleteRequest {
    var request = ACLAuthMethodDeleteRequest()
    request.authMethodName = name
    return request
  }

  public init(request: ACLAuthMethodDeleteRequest) { self.init(name: request.authMethodName) }
  public func response(_ reply: Bool) -> Bool { reply }
  public func reply(_ response: Bool) -> Bool { response }
}

extension BindingRuleSet {
  public var request: ACLBindingRuleSetRequest {
    var request = ACLBindingRuleSetRequest()
    request.bindingRule = rule
    return request
  }

  public init(request: ACLBindingRuleSetRequest) { self.init(request.bindingRule) }
  public func response(_ reply: ACLBindingRule) -> ACLBindingRule { reply }
  public func reply(_ response: ACLBindingRule) -> ACLBindingRule { response }
}

extension BindingRuleDelete {
  public var request: ACLBindingRuleDeleteRequest {
    var request = ACLBindingRuleDeleteRequest()
    request.bindingRuleID = id
    return request
  }

  public init(request: ACLBindingRuleDeleteRequest) { self.init(id: request.bindingRuleID) }
  public func response(_ reply: Bool) -> Bool { reply }
  public func reply(_ response: Bool) -> Bool { response }
}

extension Login {
  public var request: ACLLoginRequest {
    var request = ACLLoginRequest()
    var auth = ACLLoginParams()
    auth.authMethod = authMethod
    auth.bearerToken = bearerToken
    auth.meta = meta
    request.auth = auth
    return request
  }

  /// - Throws: `ServerError.invalid` for a login that presents nothing.
  public init(request: ACLLoginRequest) throws(ServerError) {
    guard let auth = request.auth else { throw .invalid("invalid login: no auth method is named") }
    self.init(authMethod: auth.authMethod, bearerToken: auth.bearerToken, meta: auth.meta)
  }

  public func response(_ reply: ACLToken) -> ACLToken { reply }
  public func reply(_ response: ACLToken) -> ACLToken { response }
}

extension Logout {
  public var request: ACLLogoutRequest {
    var request = ACLLogoutRequest()
    request.token = token.revealed
    return request
  }

  public init(request: ACLLogoutRequest) { self.init(Secret(request.token)) }
  public func response(_ reply: Bool) -> Bool { reply }
  public func reply(_ response: Bool) -> Bool { response }
}

extension OIDCAuthURL {
  public var request: ACLBrowserLoginRequest {
    var request = ACLBrowserLoginRequest()
    request.authMethod = authMethod
    request.redirectURI = redirectURI
    request.clientNonce = clientNonce
    request.meta = meta
    return request
  }

  public init(request: ACLBrowserLoginRequest) {
    self.init(
      authMethod: request.authMethod, redirectURI: request.redirectURI, clientNonce: request.clientNonce,
      meta: request.meta)
  }

  public func response(_ reply: String) -> String { reply }
  public func reply(_ response: String) -> String { response }
}

extension OIDCCallback {
  public var request: ACLBrowserLoginRequest {
    var request = ACLBrowserLoginRequest()
    request.authMethod = authMethod
    request.state = state
    request.code = code
    request.clientNonce = clientNonce
    return request
  }

  public init(request: ACLBrowserLoginRequest) {
    self.init(
      authMethod: request.authMethod, state: request.state, code: request.code, clientNonce: request.clientNonce)
  }

  public func response(_ reply: ACLToken) -> ACLToken { reply }
  public func reply(_ response: ACLToken) -> ACLToken { response }
}
