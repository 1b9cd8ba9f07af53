import Model

/// Who somebody is, as an auth method found out: the attributes that binding rules select by and put into names.
public enum Identity: Sendable, Equatable {
  case claims(ClaimAttributes)
  case serviceAccount(ServiceAccountAttributes)
  case aws(AWSAttributes)

  /// The attributes that `${…}` may stand for.
  public var variables: [String: String] {
    switch self {
    case .claims(let attributes): attributes.variables
    case .serviceAccount(let attributes): attributes.variables
    case .aws(let attributes): attributes.variables
    }
  }

  /// Whether the identity is one of those that a selector describes; "" describes all.
  ///
  /// - Throws: `FilterError` for selectors that no identity of this kind fits.
  public func matches(_ selector: String) throws(FilterError) -> Bool {
    if selector.isEmpty { return true }
    return switch self {
    case .claims(let attributes): try Filter<ClaimAttributes>(selector).matches(attributes)
    case .serviceAccount(let attributes): try Filter<ServiceAccountAttributes>(selector).matches(attributes)
    case .aws(let attributes): try Filter<AWSAttributes>(selector).matches(attributes)
    }
  }
}

/// What signed claims say, under the names of the method's mappings: `value.NAME`, `list.NAME`.
public struct ClaimAttributes: Sendable, Equatable, Filterable {
  public var values = StringMap()
  public var lists: [String: [String]] = [:]

  public init() {}

  /// All that the mappings can give, empty.
  init(template: ClaimMapping) {
    for entry in template.values { values[entry.value] = "" }
    for entry in template.lists { lists[entry.value] = [] }
  }

  var variables: [String: String] {
    Dictionary(values.map { ("value.\($0.key)", $0.value) }, uniquingKeysWith: { $1 })
  }

  public static let filterMembers: [(name: String, shape: Shape)] = [("value", .map), ("list", .lists)]

  public func filterMember(_ index: Int) -> Selected { index == 0 ? .map(values) : .lists(lists) }
}

/// A service account of Kubernetes: `serviceaccount.name` and so on.
public struct ServiceAccountAttributes: Sendable, Equatable, Filterable {
  struct Names: Record {
    var namespace = ""
    var name = ""
    var uid = ""

    static let schema = Schema<Names>("authentication.ServiceAccount") {
      $0.field("namespace", \.namespace)
      $0.field("name", \.name)
      $0.field("uid", \.uid)
    }
  }

  var account = Names()

  var variables: [String: String] {
    [
      "serviceaccount.namespace": account.namespace, "serviceaccount.name": account.name,
      "serviceaccount.uid": account.uid,
    ]
  }

  public static var filterMembers: [(name: String, shape: Shape)] { [("serviceaccount", Names.shape)] }

  public func filterMember(_ index: Int) -> Selected { .record(account) }
}

/// A role or a user of AWS.
public struct AWSAttributes: Sendable, Equatable, Filterable {
  public var name = ""
  public var id = ""
  public var accountID = ""
  /// Nil unless the method asks for details.
  public var path: String?
  public var tags = StringMap()

  public init() {}

  var variables: [String: String] {
    var variables = ["entity_name": name, "entity_id": id, "account_id": accountID]
    if let path { variables["entity_path"] = path }
    for tag in tags { variables["entity_tags.\(tag.key)"] = tag.value }
    return variables
  }

  public static let filterMembers: [(name: String, shape: Shape)] = [
    ("entity_name", .string), ("entity_id", .string), ("account_id", .string), ("entity_path", .string),
    ("entity_tags", .map),
  ]

  public func filterMember(_ index: Int) -> Selected {
    switch index {
    case 0: .string(name)
    case 1: .string(id)
    case 2: .string(accountID)
    case 3: .string(path ?? "")
    default: .map(tags)
    }
  }
}
