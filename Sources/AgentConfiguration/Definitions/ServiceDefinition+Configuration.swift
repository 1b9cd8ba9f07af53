import Model

/// A service of a configuration file.
extension ServiceDefinition {
  /// The id under which the agent knows the service: the name, unless the file says otherwise.
  public var effectiveID: String { id.isEmpty ? name : id }

  /// All checks of the service, `check` before `checks`.
  public var allChecks: [CheckType] { (check.value == CheckType() ? [] : [check.value]) + checks }

  /// Reads a service block whose keys `DefinitionReader` has checked.
  init(configuration block: DynamicObject) throws(DecodingError) {
    var members = block
    // Two `check` blocks are two checks.
    if case .array(let checks) = Self.member(members, "check"), checks.count > 1 {
      let more = Self.member(members, "checks")?.elements ?? []
      members = DynamicObject(members.members.filter { !["check", "checks"].contains($0.key.lowercased()) })
      members.append("checks", .array(checks + more))
    }
    self.init()
    try assign(members, DecodingContext(.configuration))
  }

  private static func member(_ object: DynamicObject, _ name: String) -> Dynamic? {
    object.members.last { $0.key.lowercased() == name }?.value
  }
}

extension Dynamic {
  /// The elements of a list; one value stands for a list of one.
  var elements: [Dynamic] {
    switch self {
    case .array(let elements): elements
    case .null: []
    default: [self]
    }
  }

  /// The object, or the only object of a list.
  var singleObject: DynamicObject? {
    if case .array(let elements) = self, elements.count == 1 { return elements[0].object }
    return object
  }
}
