import Model

/// Turns the tree of one source into values, by the table. Reads on after a mistake, so that all of them are reported.
struct SettingDecoder {
  private(set) var values = SettingValues()
  /// Keys that do not exist, as paths.
  private(set) var unknown: [String] = []
  /// Values of the wrong type: complete messages.
  private(set) var mismatches: [String] = []

  /// Decodes a whole document.
  ///
  /// - Throws: `ConfigurationError.unknownKeys` or `.wrongTypes` with everything that was found.
  static func decode(_ document: DynamicObject) throws(ConfigurationError) -> SettingValues {
    var decoder = SettingDecoder()
    decoder.decode(document, SettingTable.root, prefix: "", shown: "")
    // The reference decodes before it looks for keys that nobody took: wrong types come first.
    guard decoder.mismatches.isEmpty else { throw .wrongTypes(decoder.mismatches.sorted()) }
    guard decoder.unknown.isEmpty else { throw .unknownKeys(decoder.unknown.sorted()) }
    return decoder.values
  }

  /// - Parameters:
  ///   - prefix: the proper path of the block, with a dot at the end.
  ///   - shown: the same as the file wrote it.
  private mutating func decode(_ object: DynamicObject, _ node: SettingNode, prefix: String, shown: String) {
    for (key, value) in object {
      if case .null = value { continue }
      guard let (name, member) = node.member(key) else {
        unknown.append(shown + key)
        continue
      }
      switch member {
      case .block(let inner):
        guard let block = unwrapped(value).object else {
          mismatches.append(DefinitionReader.notAMap(shown + key, value))
          continue
        }
        decode(block, inner, prefix: prefix + name + ".", shown: shown + key + ".")
      case .setting(let setting):
        let path = prefix + name
        guard !setting.traits.contains(.unwritable) else {
          unknown.append(shown + key)
          continue
        }
        guard let decoded = decode(value, setting.type, shown + key) else { continue }
        add(decoded, at: path, setting.type)
      }
    }
  }

  /// Two spellings of one key in the same file meet like two sources.
  private mutating func add(_ value: Dynamic, at path: String, _ type: SettingType) {
    var one = SettingValues()
    one[path] = value
    values.merge(one)
  }

  /// The value in the form of its type, or nil after noting what is wrong.
  private mutating func decode(_ value: Dynamic, _ type: SettingType, _ path: String) -> Dynamic? {
    switch type {
    case .bool, .int, .double, .string, .duration: scalar(unwrapped(value), type, path)
    case .strings: strings(value, path)
    case .stringMap, .durationMap: stringMap(value, path)
    case .object: object(value, path)
    case .objects: objects(value, path)
    case .blocks(let settings): blocks(value, settings, path)
    case .namedBlocks(let settings): namedBlocks(value, settings, path)
    case .definitions(let kind): definitions(value, kind, path)
    }
  }

  private mutating func scalar(_ value: Dynamic, _ type: SettingType, _ path: String) -> Dynamic? {
    switch (type, value) {
    case (.bool, .bool), (.int, .int), (.double, .double), (.string, .string), (.duration, .string): return value
    case (.double, .int(let number)): return .double(Double(number))
    case (.int, .double(let number)):
      if let whole = Int64(exactly: number.rounded(.towardZero)) { return .int(whole) }
    default: break
    }
    mismatches.append(DefinitionReader.mismatch(path, value, expected: type.goName))
    return nil
  }

  private mutating func strings(_ value: Dynamic, _ path: String) -> Dynamic? {
    guard case .array(let elements) = value else {
      mismatches.append("'\(path)': source data must be an array or slice, got \(value.goKind)")
      return nil
    }
    for (index, element) in elements.enumerated() where element.string == nil {
      mismatches.append(DefinitionReader.mismatch("\(path)[\(index)]", element, expected: "string"))
    }
    return .array(elements.filter { $0.string != nil })
  }

  private mutating func stringMap(_ value: Dynamic, _ path: String) -> Dynamic? {
    guard let members = unwrapped(value).object else {
      mismatches.append(DefinitionReader.notAMap(path, value))
      return nil
    }
    var result = DynamicObject()
    for (key, value) in members {
      let value = unwrapped(value)
      if value.string == nil {
        mismatches.append(DefinitionReader.mismatch("\(path)[\(key)]", value, expected: "string"))
      }
      result[key] = value
    }
    return .object(result)
  }

  private mutating func object(_ value: Dynamic, _ path: String) -> Dynamic? {
    let value = unwrapped(value)
    if value.object != nil { return value }
    mismatches.append(DefinitionReader.notAMap(path, value))
    return nil
  }

  /// A list of objects; one object stands for a list of one.
  private mutating func objects(_ value: Dynamic, _ path: String) -> Dynamic? {
    let elements = value.array ?? [value]
    for (index, element) in elements.enumerated() where element.object == nil {
      mismatches.append(DefinitionReader.notAMap("\(path)[\(index)]", element))
    }
    return .array(elements.filter { $0.object != nil })
  }

  private mutating func blocks(_ value: Dynamic, _ settings: [Setting], _ path: String) -> Dynamic? {
    guard case .array(let elements) = objects(value, path) else { return nil }
    return .array(elements.enumerated().map { block($1, settings, "\(path)[\($0)]") })
  }

  private mutating func namedBlocks(_ value: Dynamic, _ settings: [Setting], _ path: String) -> Dynamic? {
    guard case .object(let named) = object(value, path) else { return nil }
    var result = DynamicObject()
    for (name, value) in named {
      guard case .object = unwrapped(value) else {
        mismatches.append(DefinitionReader.notAMap("\(path)[\(name)]", value))
        continue
      }
      result[name] = block(unwrapped(value), settings, "\(path)[\(name)]")
    }
    return .object(result)
  }

  private mutating func block(_ value: Dynamic, _ settings: [Setting], _ path: String) -> Dynamic {
    let node = SettingNode(settings)
    var result = DynamicObject()
    for (key, value) in value.object ?? DynamicObject() {
      guard let (name, member) = node.member(key), case .setting(let setting) = member else {
        unknown.append("\(path).\(key)")
        continue
      }
      if let decoded = decode(value, setting.type, "\(path).\(key)") { result[name] = decoded }
    }
    return .object(result)
  }

  /// Service and check blocks: checked here, turned into records when all sources are merged.
  private mutating func definitions(_ value: Dynamic, _ kind: SettingType.DefinitionKind, _ path: String) -> Dynamic? {
    guard case .array(let elements) = objects(value, path) else { return nil }
    var reader = DefinitionReader()
    for (index, element) in elements.enumerated() {
      let place = value.array == nil ? path : "\(path)[\(index)]"
      reader.check(element.object ?? DynamicObject(), kind, path: place)
    }
    unknown += reader.unknown
    mismatches += reader.mismatches
    return .array(elements)
  }

  // MARK: Words

  /// Where one value is wanted, a list of one is that value (`[{ … }]` for a block).
  private func unwrapped(_ value: Dynamic) -> Dynamic {
    if case .array(let elements) = value, elements.count == 1 { elements[0] } else { value }
  }
}

extension Dynamic {
  /// The type as error messages of the reference name it.
  var goType: String {
    switch self {
    case .null: "nil"
    case .bool: "bool"
    case .int, .uint: "int"
    case .double: "float64"
    case .string: "string"
    case .array(let elements):
      !elements.isEmpty && elements.allSatisfy { $0.object != nil } ? "[]map[string]interface {}" : "[]interface {}"
    case .object: "map[string]interface {}"
    }
  }

  var goKind: String {
    switch self {
    case .array: "slice"
    case .object: "map"
    default: goType
    }
  }

  /// The value as error messages show it.
  var goText: String {
    switch self {
    case .null: "<nil>"
    case .bool(let value): String(value)
    case .int(let value): String(value)
    case .uint(let value): String(value)
    case .double(let value): Int64(exactly: value).map { String($0) } ?? String(value)
    case .string(let value): value
    case .array(let elements): "[" + elements.map(\.goText).joined(separator: " ") + "]"
    case .object(let members):
      "map[" + members.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.goText)" }.joined(separator: " ") + "]"
    }
  }
}
