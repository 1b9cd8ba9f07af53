import Model

extension ProxyDefaults: EntryRules {
  mutating func normalize() {
    if name.isEmpty { common.name = "global" }
    `protocol` =
      switch config["protocol"] {
      case .string(let text)?: text
      case .array?, .object?, .null?, nil: ""
      case let number?: number.plainText
      }
  }

  func validate() throws(ConfigEntryError) {
    try require(name == "global", "invalid name (\(name.goQuoted)), only \"global\" is supported")
    try checkMeta()
    try accessLogs.check()
    let complaints = EnvoyExtensionRules.complaints(envoyExtensions)
    if !complaints.isEmpty { throw ConfigEntryError(list: complaints) }
    if let failoverPolicy {
      try require(
        ["", "sequential", "order-by-locality"].contains(failoverPolicy.mode),
        "Failover-policy mode must be one of '', 'sequential', or 'order-by-locality'")
    }
    try checkLocalityPreference(prioritizeByLocality)
    try checkMutualTLSMode(mutualTLSMode)
  }
}

func checkLocalityPreference(_ preference: LocalityPreference?) throws(ConfigEntryError) {
  // The blank at the end is part of the reference's text.
  try require(preference == nil, "Prioritize-by-locality requires Consul Enterprise ")
}

extension AccessLogsConfig {
  fileprivate func check() throws(ConfigEntryError) {
    switch type {
    case "", "stdout", "stderr": try require(path.isEmpty, "path is only valid for file type access logs")
    case "file": try require(!path.isEmpty, "path must be specified when using file type access logs")
    default: throw ConfigEntryError("invalid access log type: \(type)")
    }
    try require(jsonFormat.isEmpty || textFormat.isEmpty, "cannot specify both access log JSONFormat and TextFormat")
    if !jsonFormat.isEmpty { try checkJSONFormat() }
  }

  private func checkJSONFormat() throws(ConfigEntryError) {
    let place = "invalid access log json for JSON format: "
    let format: Dynamic
    do throws(JSONError) {
      format = try Dynamic(json: Array(jsonFormat.utf8))
    } catch {
      throw ConfigEntryError(place + error.description)
    }
    switch format {
    case .object, .null: return
    default:
      let found =
        switch format {
        case .array: "array"
        case .string: "string"
        case .bool: "bool"
        default: "number"
        }
      throw ConfigEntryError(
        "\(place)json: cannot unmarshal \(found) into Go value of type map[string]interface {}")
    }
  }
}
