import Model

/// One option of the agent: where it stands in a configuration file, what it may hold, what it means.
///
/// The table of all of them (`SettingTable.all`) drives the decoding of files, defaults, merging, the reload report and
/// the reference page; an option that is not in the table does not exist.
public struct Setting: Sendable {
  /// The place in a configuration file, blocks separated by dots: `dns_config.node_ttl`.
  public let path: String
  public let type: SettingType
  /// What holds when nobody says anything. Nil where the default depends on other options; `meaning` then tells.
  public let defaultValue: Dynamic?
  public let traits: Traits
  /// For operators, in one or two sentences: meaning, unit, consequence.
  public let meaning: String
  /// Where `GET /v1/agent/self` shows the value: a name in `DebugConfig`, blocks separated by dots. Nil: not shown as it is.
  public let debugName: String?

  public struct Traits: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Takes effect with a reload, without a restart.
    public static let reloadable = Traits(rawValue: 1 << 0)
    /// Belongs to the enterprise edition of the reference: accepted, and answered with a warning.
    public static let enterprise = Traits(rawValue: 1 << 1)
    /// A secret: never shown.
    public static let secret = Traits(rawValue: 1 << 2)
    /// Not available in configuration files: only defaults and the development mode set it.
    public static let unwritable = Traits(rawValue: 1 << 3)
    /// An option of this implementation that the reference does not have.
    public static let ours = Traits(rawValue: 1 << 4)
  }

  init(
    _ path: String, _ type: SettingType, default: Dynamic? = nil, traits: Traits = [], debug: String? = nil,
    _ meaning: String
  ) {
    self.path = path
    self.type = type
    defaultValue = `default`
    self.traits = traits
    self.meaning = meaning
    debugName = debug
  }

  /// The last part of the path.
  public var name: String { path.split(separator: ".").last.map(String.init) ?? path }
}

/// What an option may hold.
public indirect enum SettingType: Sendable {
  case bool
  case int
  case double
  case string
  /// Text such as `1h30m` (nanoseconds inside).
  case duration
  case strings
  /// Names to texts.
  case stringMap
  /// Names to durations.
  case durationMap
  /// An object without a fixed shape.
  case object
  /// A list of objects without a fixed shape.
  case objects
  /// A list of blocks with these members (paths are relative to the block).
  case blocks([Setting])
  /// Named blocks with these members.
  case namedBlocks([Setting])
  /// One definition of a service or of a check, or several; the records of the model say what is in it.
  case definitions(DefinitionKind)

  public enum DefinitionKind: Sendable { case service, check }

  /// Whether values of several sources are put behind one another instead of replacing each other.
  var isList: Bool {
    switch self {
    case .strings, .objects, .blocks, .definitions: true
    default: false
    }
  }

  /// Whether values of several sources are merged member by member.
  var isMap: Bool {
    switch self {
    case .stringMap, .durationMap, .object, .namedBlocks: true
    default: false
    }
  }

  /// The name of the type in error messages, as users of the reference know it.
  var goName: String {
    switch self {
    case .bool: "bool"
    case .int: "int"
    case .double: "float64"
    case .string, .duration: "string"
    case .strings: "[]string"
    case .stringMap, .durationMap: "map[string]string"
    case .object, .namedBlocks: "map"
    case .objects, .blocks, .definitions: "slice"
    }
  }
}
