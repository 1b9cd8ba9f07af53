import Model

/// The reference page of all options, made from the table, so that it cannot tell anything else than the program does.
public enum ReferencePage {
  private static let sections: [(title: String, settings: [Setting])] = [
    ("General", SettingTable.general), ("Addresses", SettingTable.addresses), ("Ports", SettingTable.ports),
    ("Cluster", SettingTable.cluster), ("Node", SettingTable.node), ("Logging", SettingTable.logging),
    ("Checks", SettingTable.checks), ("Limits", SettingTable.limits), ("Performance", SettingTable.performance),
    ("DNS", SettingTable.dns), ("HTTP API", SettingTable.http), ("User interface", SettingTable.userInterface),
    ("Access control", SettingTable.accessControl), ("Encryption of gossip", SettingTable.encryption),
    ("TLS", SettingTable.tls), ("Automatic TLS and configuration", SettingTable.automaticTLS),
    ("Service mesh", SettingTable.mesh), ("Consensus", SettingTable.raft), ("Gossip", SettingTable.gossip),
    ("Telemetry", SettingTable.telemetry), ("Services, checks and watches", SettingTable.definitions),
    ("Options of the enterprise edition", SettingTable.enterprise),
  ]

  /// The page in Markdown.
  public static var markdown: String {
    var lines = [
      "# Configuration", "",
      "<!-- Made from the table of options by `make docs`; changes by hand are lost. -->", "",
      "An agent reads its options from files in HCL or JSON (`-config-file`, `-config-dir`), from fragments (`-hcl`) and",
      "from flags; later ones win. Lists of several sources are put behind one another, maps are merged.",
      "Blocks are written as `block { option = value }`; this page joins their names with dots.", "",
      "`consul validate FILE …` checks a configuration. Options marked *reload* take effect with `consul reload` or",
      "`SIGHUP`, all others with a restart. Durations are texts such as `10s`, `5m` or `1h30m`.",
    ]
    for (title, settings) in sections {
      let shown = settings.filter { !$0.traits.contains(.unwritable) }
      guard !shown.isEmpty else { continue }
      lines += ["", "## \(title)", ""]
      for setting in shown { lines += entry(setting, prefix: "", indentation: "") }
    }
    lines += ["", "## Older names", "", "Still read, with a warning.", "", "| name | now |", "| --- | --- |"]
    lines += Deprecation.all.map { "| `\($0.path)` | \($0.replacement.map { "`\($0)`" } ?? "without effect") |" }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func entry(_ setting: Setting, prefix: String, indentation: String) -> [String] {
    var facts = [type(setting.type)]
    if let value = setting.defaultValue, let text = text(of: value) { facts.append("default `\(text)`") }
    if setting.traits.contains(.reloadable) { facts.append("*reload*") }
    if setting.traits.contains(.secret) { facts.append("secret") }
    if setting.traits.contains(.enterprise) { facts.append("accepted, without effect") }
    if setting.traits.contains(.ours) { facts.append("not in the reference") }
    var lines = [
      "\(indentation)- `\(prefix)\(setting.path)` (\(facts.joined(separator: ", "))): \(setting.meaning)"
    ]
    switch setting.type {
    case .blocks(let members), .namedBlocks(let members):
      for member in members { lines += entry(member, prefix: "", indentation: indentation + "  ") }
    default: break
    }
    return lines
  }

  private static func type(_ type: SettingType) -> String {
    switch type {
    case .bool: "true or false"
    case .int: "whole number"
    case .double: "number"
    case .string: "text"
    case .duration: "duration"
    case .strings: "list of texts"
    case .stringMap: "names to texts"
    case .durationMap: "names to durations"
    case .object: "object"
    case .objects: "list of objects"
    case .blocks: "list of blocks"
    case .namedBlocks: "named blocks"
    case .definitions(.service): "service definitions"
    case .definitions(.check): "check definitions"
    }
  }

  /// Nil for values that say nothing.
  private static func text(of value: Dynamic) -> String? {
    switch value {
    case .null: nil
    case .string(let text): text.isEmpty ? nil : text
    case .array(let elements): elements.isEmpty ? nil : value.json
    case .object(let members): members.isEmpty ? nil : value.json
    default: value.json
    }
  }
}
