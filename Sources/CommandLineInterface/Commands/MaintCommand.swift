import ConsulClient
import Model

/// `consul maint`: takes a node or one of its services out of service for a while.
enum MaintCommand {
  private static let enable = Flag.bool("enable", "Switch maintenance on.")
  private static let disable = Flag.bool("disable", "Switch maintenance off.")
  private static let reason = Flag.string("reason", "Why, for whoever wonders; only with -enable.")
  private static let service = Flag.string("service", "Id of the service that is meant, instead of the whole node.")

  static var command: Command {
    Command(
      usage: "Usage: consul maint [options]",
      about: """
        Marks the agent's node, or one of its services, as under maintenance: it is not found by DNS and not listed as
        healthy until maintenance ends.

            $ consul maint -enable -reason="new disks"
            $ consul maint -disable
            $ consul maint -enable -service=redis -reason="configuration"

        Without -enable and -disable it shows what is under maintenance now.
        """,
      clientFlags: ClientFlags.connection,
      flags: [enable.any, disable.any, reason.any, service.any],
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    let enables = invocation[enable]
    let changes = enables || invocation[disable]
    let id = invocation[service]
    guard !(enables && invocation[disable]) else {
      throw CommandFailure("Only one of -enable or -disable may be provided")
    }
    guard enables || invocation[reason].isEmpty else {
      throw CommandFailure("Reason may only be provided with -enable")
    }
    guard changes || id.isEmpty else { throw CommandFailure("Service requires either -enable or -disable") }
    let agent = try invocation.client().agent
    guard changes else {
      let checks = try await explaining("Error getting checks") { try await agent.checks() }
      let report = report(checks)
      if !report.isEmpty { invocation.console.out(report) }
      return 0
    }
    let subject = id.isEmpty ? "node" : "service"
    try await explaining("Error \(enables ? "enabling" : "disabling") \(subject) maintenance") {
      try await agent.setMaintenance(enables, service: id.isEmpty ? nil : id, reason: invocation[reason])
    }
    let state = enables ? "enabled" : "disabled"
    invocation.console.out(
      id.isEmpty ? "Node maintenance is now \(state)" : "Service maintenance is now \(state) for \"\(id)\"")
    return 0
  }

  /// The maintenance checks of an agent: the node's first, then those of services by their ids.
  static func report(_ checks: DynamicObject) -> String {
    func text(_ check: Dynamic, _ member: String) -> String { check[member]?.string ?? "" }
    var blocks: [String] = []
    for (id, check) in checks.sorted(by: { $0.key < $1.key }) {
      if id == "_node_maintenance" {
        blocks.append("Node:\n  Name:   \(text(check, "Node"))\n  Reason: \(text(check, "Notes"))\n")
      } else if id.hasPrefix("_service_maintenance:") {
        blocks.append("Service:\n  ID:     \(text(check, "ServiceID"))\n  Reason: \(text(check, "Notes"))\n")
      }
    }
    return blocks.joined(separator: "\n")
  }
}
