import Model

/// Why the parameters of a watch make no watch.
public enum WatchError: Error, Equatable, CustomStringConvertible {
  case missingType
  case unknownType(String)
  /// A parameter without which the type means nothing.
  case missing(String)
  /// A parameter of the wrong type.
  case notA(String, parameter: String)
  /// Parameters that the type does not have, sorted.
  case surplus([String])
  case serviceAndState

  public var description: String {
    switch self {
    case .missingType: "Watch type must be specified"
    case .unknownType(let type): "Unsupported watch type: \(type)"
    case .missing(let name): "Must specify a single \(name) to watch"
    case .notA(let type, let parameter): "Expecting \(parameter) to be a \(type)"
    case .surplus(let names): "Invalid parameters: [\(names.joined(separator: " "))]"
    case .serviceAndState: "Cannot specify service and state"
    }
  }
}

extension Watch {
  /// Makes a watch of the parameters that configuration files and the command line have in common.
  ///
  /// - Parameters:
  ///   - parameters: `type` and what belongs to the type, `datacenter`, `token`, `stale`, `filter`.
  ///   - exempt: names that mean something to the caller, such as `args`.
  public init(parameters: DynamicObject, exempt: Set<String> = []) throws(WatchError) {
    var reader = ParameterReader(parameters)
    guard let type = try reader.string("type") else { throw .missingType }
    var options = QueryOptions()
    options.datacenter = try reader.string("datacenter")
    options.token = try reader.string("token")
    options.allowStale = try reader.flag("stale")
    let view: View
    switch type {
    case "key": view = .key(try reader.required("key"))
    case "keyprefix": view = .keyPrefix(try reader.required("prefix"))
    case "services":
      options.filter = try reader.string("filter")
      view = .services
    case "nodes":
      options.filter = try reader.string("filter")
      view = .nodes
    case "service":
      options.filter = try reader.string("filter")
      view = .service(
        try reader.required("service"), tags: try reader.strings("tag"), passingOnly: try reader.flag("passingonly"))
    case "checks":
      options.filter = try reader.string("filter")
      let service = try reader.string("service")
      let state = try reader.string("state")
      guard service == nil || state == nil else { throw .serviceAndState }
      view = .checks(service: service, state: state ?? "any")
    case "event": view = .event(name: try reader.string("name"))
    case "agent_service": view = .agentService(try reader.required("service_id"))
    case "connect_roots": view = .connectRoots
    case "connect_leaf": view = .connectLeaf(try reader.required("service"))
    default: throw .unknownType(type)
    }
    let surplus = reader.unread(except: exempt)
    guard surplus.isEmpty else { throw .surplus(surplus) }
    self.init(view, options: options)
  }
}

/// Takes parameters one by one and knows which are left. Empty texts count as absent.
private struct ParameterReader {
  private let parameters: DynamicObject
  private var read: Set<String> = []

  init(_ parameters: DynamicObject) {
    self.parameters = parameters
  }

  mutating func string(_ name: String) throws(WatchError) -> String? {
    read.insert(name)
    switch parameters[name] {
    case nil, .null: return nil
    case .string(let text): return text.isEmpty ? nil : text
    default: throw .notA("string", parameter: name)
    }
  }

  mutating func required(_ name: String) throws(WatchError) -> String {
    guard let text = try string(name) else { throw .missing(name) }
    return text
  }

  /// A boolean, which configuration files may also write as text.
  mutating func flag(_ name: String) throws(WatchError) -> Bool {
    read.insert(name)
    switch parameters[name] {
    case nil, .null: return false
    case .bool(let flag): return flag
    case .string(let text):
      switch text.lowercased() {
      case "true", "1", "t": return true
      case "false", "0", "f", "": return false
      default: throw .notA("boolean", parameter: name)
      }
    default: throw .notA("boolean", parameter: name)
    }
  }

  /// A text or a list of texts.
  mutating func strings(_ name: String) throws(WatchError) -> [String] {
    read.insert(name)
    switch parameters[name] {
    case nil, .null: return []
    case .string(let text): return text.isEmpty ? [] : [text]
    case .array(let elements):
      var texts: [String] = []
      for element in elements {
        guard case .string(let text) = element else { throw .notA("string", parameter: name) }
        texts.append(text)
      }
      return texts
    default: throw .notA("string", parameter: name)
    }
  }

  func unread(except exempt: Set<String>) -> [String] {
    parameters.map(\.key).filter { !read.contains($0) && !exempt.contains($0) }.sorted()
  }
}
