/// A way to log in with an identity from elsewhere.
public struct ACLAuthMethod: Record {
  public var maxTokenTTL = GoDuration.zero
  public var name = ""
  /// `jwt`, `oidc`, `kubernetes`, `aws-iam`.
  public var type = ""
  public var displayName = ""
  public var description = ""
  /// `local` or `global`; "" is local.
  public var tokenLocality = ""
  public var config = DynamicMap()
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<ACLAuthMethod>("structs.ACLAuthMethod") {
    $0.field("MaxTokenTTL", \.maxTokenTTL, [.omitEmpty, .durationText])
    $0.field("Name", \.name)
    $0.field("Type", \.type)
    $0.field("DisplayName", \.displayName, .omitEmpty)
    $0.field("Description", \.description, .omitEmpty)
    $0.field("TokenLocality", \.tokenLocality, .omitEmpty)
    $0.field("Config", \.config)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// An auth method as lists show it: without its settings.
public struct ACLAuthMethodListStub: Record {
  public var maxTokenTTL = GoDuration.zero
  public var name = ""
  public var type = ""
  public var displayName = ""
  public var description = ""
  public var tokenLocality = ""
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}
  public init(_ method: ACLAuthMethod) {
    maxTokenTTL = method.maxTokenTTL
    name = method.name
    type = method.type
    displayName = method.displayName
    description = method.description
    tokenLocality = method.tokenLocality
    createIndex = method.createIndex
    modifyIndex = method.modifyIndex
  }

  public static let schema = Schema<ACLAuthMethodListStub>("structs.ACLAuthMethodListStub") {
    $0.field("MaxTokenTTL", \.maxTokenTTL, [.omitEmpty, .durationText])
    $0.field("Name", \.name)
    $0.field("Type", \.type)
    $0.field("DisplayName", \.displayName, .omitEmpty)
    $0.field("Description", \.description, .omitEmpty)
    $0.field("TokenLocality", \.tokenLocality, .omitEmpty)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// What a login through an auth method is given.
public struct ACLBindingRule: Record {
  public var id = ""
  public var description = ""
  public var authMethod = ""
  /// An expression of the filter language over what the identity is; "" fits all.
  public var selector = ""
  /// `service`, `role`, `node`, `policy`, `templated-policy`.
  public var bindType = ""
  /// May contain `${…}`.
  public var bindName = ""
  public var bindVars: ACLTemplatedPolicyVariables?
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<ACLBindingRule>("structs.ACLBindingRule") {
    $0.field("ID", \.id)
    $0.field("Description", \.description)
    $0.field("AuthMethod", \.authMethod)
    $0.field("Selector", \.selector)
    $0.field("BindType", \.bindType)
    $0.field("BindName", \.bindName)
    $0.field("BindVars", \.bindVars, .omitEmpty)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}
