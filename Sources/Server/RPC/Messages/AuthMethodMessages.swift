import Model

/// Asks for an auth method.
public struct ACLAuthMethodGetRequest: RPCReadRequest {
  public var authMethodName = ""
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLAuthMethodGetRequest>("structs.ACLAuthMethodGetRequest") {
    $0.field("AuthMethodName", \.authMethodName)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// An auth method.
public struct ACLAuthMethodResponse: RPCReply {
  public var authMethod: Row<ACLAuthMethod>?
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLAuthMethodResponse>("structs.ACLAuthMethodResponse") {
    $0.field("AuthMethod", \.authMethod)
    $0.embed(\.meta)
  }
}

/// Auth methods without their settings.
public struct ACLAuthMethodListResponse: RPCReply {
  public var authMethods: [ACLAuthMethodListStub] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLAuthMethodListResponse>("structs.ACLAuthMethodListResponse") {
    $0.field("AuthMethods", \.authMethods)
    $0.embed(\.meta)
  }
}

/// Creates or changes an auth method.
public struct ACLAuthMethodSetRequest: RPCWriteRequest {
  public var authMethod = ACLAuthMethod()
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLAuthMethodSetRequest>("structs.ACLAuthMethodSetRequest") {
    $0.field("AuthMethod", \.authMethod)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Deletes an auth method.
public struct ACLAuthMethodDeleteRequest: RPCWriteRequest {
  public var authMethodName = ""
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLAuthMethodDeleteRequest>("structs.ACLAuthMethodDeleteRequest") {
    $0.field("AuthMethodName", \.authMethodName)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Asks for a binding rule.
public struct ACLBindingRuleGetRequest: RPCReadRequest {
  public var bindingRuleID = ""
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLBindingRuleGetRequest>("structs.ACLBindingRuleGetRequest") {
    $0.field("BindingRuleID", \.bindingRuleID)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// A binding rule.
public struct ACLBindingRuleResponse: RPCReply {
  public var bindingRule: Row<ACLBindingRule>?
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLBindingRuleResponse>("structs.ACLBindingRuleResponse") {
    $0.field("BindingRule", \.bindingRule)
    $0.embed(\.meta)
  }
}

/// Asks for binding rules; those of an auth method, or all.
public struct ACLBindingRuleListRequest: RPCReadRequest {
  public var authMethod = ""
  public var datacenter = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ACLBindingRuleListRequest>("structs.ACLBindingRuleListRequest") {
    $0.field("AuthMethod", \.authMethod)
    $0.field("Datacenter", \.datacenter)
    $0.embed(\.options)
  }
}

/// Binding rules.
public struct ACLBindingRuleListResponse: RPCReply {
  public var bindingRules: [Row<ACLBindingRule>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ACLBindingRuleListResponse>("structs.ACLBindingRuleListResponse") {
    $0.field("BindingRules", \.bindingRules)
    $0.embed(\.meta)
  }
}

/// Creates or changes a binding rule.
public struct ACLBindingRuleSetRequest: RPCWriteRequest {
  public var bindingRule = ACLBindingRule()
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLBindingRuleSetRequest>("structs.ACLBindingRuleSetRequest") {
    $0.field("BindingRule", \.bindingRule)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Deletes a binding rule.
public struct ACLBindingRuleDeleteRequest: RPCWriteRequest {
  public var bindingRuleID = ""
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLBindingRuleDeleteRequest>("structs.ACLBindingRuleDeleteRequest") {
    $0.field("BindingRuleID", \.bindingRuleID)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// What a login presents.
public struct ACLLoginParams: Record {
  public var authMethod = ""
  public var bearerToken = Secret()
  public var meta = StringMap()

  public init() {}

  public static let schema = Schema<ACLLoginParams>("structs.ACLLoginParams") {
    $0.field("AuthMethod", \.authMethod)
    $0.field("BearerToken", \.bearerToken)
    $0.field("Meta", \.meta, .omitEmpty)
  }
}

/// Logs in.
public struct ACLLoginRequest: RPCWriteRequest {
  public var auth: ACLLoginParams?
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLLoginRequest>("structs.ACLLoginRequest") {
    $0.field("Auth", \.auth)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Logs the token of the request out.
public struct ACLLogoutRequest: RPCWriteRequest {
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLLogoutRequest>("structs.ACLLogoutRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// Begins or finishes a login in the browser; each uses its part of the fields.
public struct ACLBrowserLoginRequest: RPCWriteRequest {
  public var authMethod = ""
  public var redirectURI = ""
  public var clientNonce = ""
  public var meta = StringMap()
  public var state = ""
  public var code = Secret()
  public var datacenter = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<ACLBrowserLoginRequest>("structs.ACLOIDCLoginRequest") {
    $0.field("AuthMethod", \.authMethod)
    $0.field("RedirectURI", \.redirectURI)
    $0.field("ClientNonce", \.clientNonce)
    $0.field("Meta", \.meta, .omitEmpty)
    $0.field("State", \.state)
    $0.field("Code", \.code)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}
