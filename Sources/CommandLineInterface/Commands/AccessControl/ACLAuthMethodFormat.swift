import Model

/// How auth methods and binding rules are printed.
enum ACLAuthMethodFormat {
  private static func block(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

  private static func indexes(_ create: UInt64, _ modify: UInt64, width: Int = 13, indent: String = "") -> [String] {
    [("Create Index:", create), ("Modify Index:", modify)].map { name, value in
      indent + name + String(repeating: " ", count: max(width + 1 - name.count, 1)) + String(value)
    }
  }

  static func text(_ method: ACLAuthMethod, showsMeta: Bool) -> String {
    var lines = ["Name:          \(method.name)", "Type:          \(method.type)"]
    if !method.displayName.isEmpty { lines.append("DisplayName:   \(method.displayName)") }
    lines.append("Description:   \(method.description)")
    if method.maxTokenTTL != .zero { lines.append("MaxTokenTTL:   \(method.maxTokenTTL)") }
    if !method.tokenLocality.isEmpty { lines.append("TokenLocality: \(method.tokenLocality)") }
    if showsMeta { lines += indexes(method.createIndex, method.modifyIndex, width: 14) }
    return block(lines + ["Config:"]) + indented(.object(method.config.members))
  }

  static func text(_ methods: [ACLAuthMethodListStub], showsMeta: Bool) -> String {
    block(
      methods.flatMap { method in
        var lines = ["\(method.name):", "   Type:         \(method.type)"]
        if !method.displayName.isEmpty { lines.append("   DisplayName:  \(method.displayName)") }
        lines.append("   Description:  \(method.description)")
        if showsMeta { lines += indexes(method.createIndex, method.modifyIndex, indent: "   ") }
        return lines
      })
  }

  private static func fields(_ rule: ACLBindingRule, indent: String, showsMeta: Bool) -> [String] {
    var lines = ["\(indent)AuthMethod:   \(rule.authMethod)", "\(indent)Description:  \(rule.description)"]
    lines.append("\(indent)BindType:     \(rule.bindType)")
    lines.append("\(indent)BindName:     \(rule.bindName)")
    if let variables = rule.bindVars { lines += ["\(indent)BindVars:", "\(indent)   Name: \(variables.name)"] }
    lines.append("\(indent)Selector:     \(rule.selector)")
    if showsMeta { lines += indexes(rule.createIndex, rule.modifyIndex, indent: indent) }
    return lines
  }

  static func text(_ rule: ACLBindingRule, showsMeta: Bool) -> String {
    block(["ID:           \(rule.id)"] + fields(rule, indent: "", showsMeta: showsMeta))
  }

  static func text(_ rules: [ACLBindingRule], showsMeta: Bool) -> String {
    block(rules.flatMap { ["\($0.id):"] + fields($0, indent: "   ", showsMeta: showsMeta) })
  }

  /// As one gives it: variables by the names that the flag takes.
  static func json(_ rule: ACLBindingRule) -> Dynamic {
    guard var object = ACLFormat.json(rule).object else { return .null }
    if let name = object["BindVars"]?["name"] { object["BindVars"] = ["Name": name] }
    return .object(object)
  }

  /// JSON with two blanks per level.
  static func indented(_ value: Dynamic, _ level: Int = 0) -> String {
    let inner = String(repeating: "  ", count: level + 1)
    let outer = String(repeating: "  ", count: level)
    switch value {
    case .object(let members) where !members.isEmpty:
      let lines = members.sorted { bytewiseLess($0.key, $1.key) }.map { key, value in
        "\(inner)\(Dynamic.string(key).json): \(indented(value, level + 1))"
      }
      return "{\n\(lines.joined(separator: ",\n"))\n\(outer)}"
    case .array(let elements) where !elements.isEmpty:
      return "[\n\(elements.map { inner + indented($0, level + 1) }.joined(separator: ",\n"))\n\(outer)]"
    default: return value.json
    }
  }
}
