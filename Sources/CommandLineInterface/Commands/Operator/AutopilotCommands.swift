import ConsulClient
import Model

/// `consul operator autopilot …`: how servers look after themselves.
enum AutopilotCommands {
  static let group = CommandGroup(
    usage: "Usage: consul operator autopilot <subcommand> [options]",
    about: "Shows how healthy the servers are, and shows and changes what they do about it themselves.",
    entries: [
      .command("get-config", "Shows the configuration") { get },
      .command("set-config", "Changes the configuration") { set },
      .command("state", "Shows the health of the servers") { state },
    ])

  /// The members of the configuration in the order in which they are shown.
  private static let shown = [
    "CleanupDeadServers", "LastContactThreshold", "MaxTrailingLogs", "MinQuorum", "ServerStabilizationTime",
    "RedundancyZoneTag", "DisableUpgradeMigration", "UpgradeVersionTag",
  ]

  static var get: Command {
    Command(
      usage: "Usage: consul operator autopilot get-config [options]",
      about: "Shows autopilot's configuration.",
      clientFlags: ClientFlags.query
    ) { invocation in
      let client = try invocation.client()
      let configuration = try await explaining("Error querying Autopilot configuration") {
        try await client.operator.autopilotConfiguration(invocation.queryOptions)
      }
      invocation.console.out(text(of: configuration))
      return 0
    }
  }

  static func text(of configuration: Dynamic) -> String {
    shown.map { name in
      let value = configuration[name] ?? .null
      let isTag = name.hasSuffix("Tag")
      return "\(name) = \(isTag ? (value.string ?? "").goQuoted : value.string ?? value.json)"
    }.joined(separator: "\n")
  }

  // MARK: - Changes

  private static let cleanup = Flag<Bool?>.optionalBool(
    "cleanup-dead-servers", "Whether failed servers are removed when new ones have joined.")
  private static let contact = Flag<GoDuration?>.optionalDuration(
    "last-contact-threshold", "A server that the leader has not heard of for longer counts as not healthy.")
  private static let trailing = Flag<UInt64?>.optionalUInt(
    "max-trailing-logs", "A server whose log is this many entries behind counts as not healthy.")
  private static let quorum = Flag<UInt64?>.optionalUInt(
    "min-quorum", "Servers that must be left when failed ones are removed.")
  private static let stabilization = Flag<GoDuration?>.optionalDuration(
    "server-stabilization-time", "How long a new server must be healthy before it may vote.")
  private static let zone = Flag.optional(
    "redundancy-zone-tag", "Name of the node metadata that tells zones apart; kept, but of no effect here.")
  private static let migration = Flag<Bool?>.optionalBool(
    "disable-upgrade-migration", "Kept, but of no effect here.")
  private static let version = Flag.optional(
    "upgrade-version-tag", "Name of the node metadata with a version; kept, but of no effect here.")

  static var set: Command {
    Command(
      usage: "Usage: consul operator autopilot set-config [options]",
      about: "Changes what the flags name in autopilot's configuration.",
      clientFlags: ClientFlags.query,
      flags: [
        cleanup.any, contact.any, trailing.any, quorum.any, stabilization.any, zone.any, migration.any, version.any,
      ]
    ) { invocation in
      let client = try invocation.client()
      let old = try await explaining("Error querying Autopilot configuration") {
        try await client.operator.autopilotConfiguration()
      }
      let changed = try await explaining("Error setting Autopilot configuration") {
        try await client.operator.setAutopilotConfiguration(
          applying(old, invocation), ifIndex: old["ModifyIndex"]?.uint ?? 0)
      }
      guard changed else {
        throw CommandFailure("Configuration could not be atomically updated, please try again")
      }
      invocation.console.out("Configuration updated!")
      return 0
    }
  }

  private static func applying(_ configuration: Dynamic, _ invocation: Invocation) -> Dynamic {
    var changes: [String: Dynamic] = [:]
    changes["CleanupDeadServers"] = invocation[cleanup].map { .bool($0) }
    changes["LastContactThreshold"] = invocation[contact].map { .string($0.description) }
    changes["MaxTrailingLogs"] = invocation[trailing].map { .uint($0) }
    changes["MinQuorum"] = invocation[quorum].map { .uint($0) }
    changes["ServerStabilizationTime"] = invocation[stabilization].map { .string($0.description) }
    changes["RedundancyZoneTag"] = invocation[zone].map { .string($0) }
    changes["DisableUpgradeMigration"] = invocation[migration].map { .bool($0) }
    changes["UpgradeVersionTag"] = invocation[version].map { .string($0) }
    let members = (configuration.object ?? DynamicObject()).map { (key: $0.key, value: changes[$0.key] ?? $0.value) }
    return .object(DynamicObject(members))
  }

  // MARK: - Health

  private static let format = Flag.string("format", default: "pretty", "How to print it: pretty or json.")

  static var state: Command {
    Command(
      usage: "Usage: consul operator autopilot state [options]",
      about: "Shows how healthy the servers are, as their leader sees them.",
      clientFlags: ClientFlags.query,
      flags: [format.any]
    ) { invocation in
      let kind = invocation[format]
      guard kind == "pretty" || kind == "json" else { throw CommandFailure("Unknown format: \(kind)") }
      let client = try invocation.client()
      let state = try await explaining("Error querying Autopilot state") {
        try await client.operator.autopilotState(invocation.queryOptions)
      }
      if kind == "pretty" {
        invocation.console.out(report(state))
      } else {
        let bytes = Array(state.json.utf8).withUnsafeBytes { prettyJSON($0) }
        invocation.console.out(String(decoding: bytes, as: UTF8.self).trimmed)
      }
      return 0
    }
  }

  static func report(_ state: Dynamic) -> String {
    func text(_ value: Dynamic?) -> String { value.map { $0.string ?? $0.json } ?? "" }
    var lines = [
      "Healthy:                      \(text(state["Healthy"]))",
      "Failure Tolerance:            \(text(state["FailureTolerance"]))",
      "Optimistic Failure Tolerance: \(text(state["OptimisticFailureTolerance"]))",
      "Leader:                       \(text(state["Leader"]))",
      "Voters:",
    ]
    lines += (state["Voters"]?.array ?? []).map { "   \(text($0))" }
    lines.append("Servers:")
    for (id, server) in (state["Servers"]?.object ?? DynamicObject()).sorted(by: { $0.key < $1.key }) {
      lines.append("   \(id)")
      for (title, member) in [
        ("Name:", "Name"), ("Address:", "Address"), ("Version:", "Version"), ("Status:", "Status"),
        ("Node Type:", "NodeType"), ("Node Status:", "NodeStatus"), ("Healthy:", "Healthy"),
        ("Last Contact:", "LastContact"), ("Last Term:", "LastTerm"), ("Last Index:", "LastIndex"),
      ] {
        let padding = String(repeating: " ", count: max(17 - title.count, 1))
        lines.append("      \(title)\(padding)\(text(server[member]))")
      }
      let meta = (server["Meta"]?.object ?? DynamicObject()).sorted { $0.key < $1.key }
      if !meta.isEmpty { lines.append("      Meta") }
      for (key, value) in meta { lines.append("         \(key.goQuoted): \(text(value).goQuoted)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Flag where Value == Bool? {
  /// A choice whose absence leaves things as they are.
  static func optionalBool(_ name: String, _ help: String) -> Flag {
    Flag(name: name, placeholder: "true|false", help: help, defaultValue: nil, shownDefault: nil) {
      text, value throws(FlagValueError) in
      guard let parsed = parseBoolean(text) else { throw .syntax }
      value = parsed
    }
  }
}

extension Flag where Value == UInt64? {
  static func optionalUInt(_ name: String, _ help: String) -> Flag {
    Flag(name: name, placeholder: "value", help: help, defaultValue: nil, shownDefault: nil) {
      text, value throws(FlagValueError) in
      let number: UInt64 = try parseInteger(text)
      value = number
    }
  }
}

extension Flag where Value == GoDuration? {
  static func optionalDuration(_ name: String, _ help: String) -> Flag {
    Flag(name: name, placeholder: "duration", help: help, defaultValue: nil, shownDefault: nil) {
      text, value throws(FlagValueError) in
      guard let parsed = GoDuration(text) else { throw .message(GoDuration.reason(text)) }
      value = parsed
    }
  }
}
