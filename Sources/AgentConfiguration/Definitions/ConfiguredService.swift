import Model

/// A service of a configuration file.
public struct ConfiguredService: Sendable, Equatable {
  public var definition: ServiceDefinition
  /// The proxy that the agent runs for the service itself (`connect { proxy { … } }`).
  public var managedProxy: ManagedProxy?

  public init(definition: ServiceDefinition, managedProxy: ManagedProxy? = nil) {
    self.definition = definition
    self.managedProxy = managedProxy
  }

  /// The id under which the agent knows the service: the name, unless the file says otherwise.
  public var id: String { definition.id.isEmpty ? definition.name : definition.id }

  /// All checks of the service, `check` before `checks`.
  public var checks: [CheckType] {
    let single = definition.check.value
    return (single == CheckType() ? [] : [single]) + definition.checks
  }
}

/// A proxy that the agent runs for a service, as service files of 2018 asked for it.
public struct ManagedProxy: Sendable, Equatable {
  /// The program to run instead of the built-in proxy; empty: the built-in one.
  public var command: [String] = []
  /// `daemon` or `script`; empty: daemon.
  public var executionMode = ""
  /// Options of the proxy, without its upstreams.
  public var config = DynamicMap()
  public var upstreams: [Upstream] = []

  public init() {}
}

extension ConfiguredService {
  /// Reads a service block whose keys `DefinitionReader` has checked.
  init(_ block: DynamicObject) throws(DecodingError) {
    var members = block
    // Two `check` blocks are two checks.
    if case .array(let checks) = Self.member(members, "check")?.value, checks.count > 1 {
      let more = Self.member(members, "checks")?.value.elements ?? []
      members = Self.without(members, ["check", "checks"])
      members.append("checks", .array(checks + more))
    }
    let context = DecodingContext(.configuration)
    var definition = ServiceDefinition()
    try definition.assign(members, context)
    self.init(definition: definition, managedProxy: try Self.managedProxy(members, context))
  }

  private static func managedProxy(
    _ members: DynamicObject, _ context: DecodingContext
  ) throws(DecodingError) -> ManagedProxy? {
    guard let connect = member(members, "connect")?.value.singleObject,
      let value = member(connect, "proxy")?.value, case let block = value.singleObject ?? DynamicObject()
    else { return nil }
    var proxy = ManagedProxy()
    proxy.command = try [String](from: member(block, "command")?.value ?? .null, context)
    proxy.executionMode = member(block, "exec_mode")?.value.string ?? ""
    let config = member(block, "config")?.value.singleObject ?? DynamicObject()
    proxy.config = DynamicMap(without(config, ["upstreams"]))
    let upstreams =
      (member(config, "upstreams")?.value.elements ?? []) + (member(block, "upstreams")?.value.elements ?? [])
    for upstream in upstreams { proxy.upstreams.append(try Upstream(from: upstream, context)) }
    return proxy
  }

  private static func member(_ object: DynamicObject, _ name: String) -> (key: String, value: Dynamic)? {
    object.members.last { $0.key.lowercased() == name }
  }

  private static func without(_ object: DynamicObject, _ names: Set<String>) -> DynamicObject {
    DynamicObject(object.members.filter { !names.contains($0.key.lowercased()) })
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
