import ConsulClient
import Model

/// `consul operator usage …`: how much the catalog holds.
enum UsageCommands {
  static let group = CommandGroup(
    usage: "Usage: consul operator usage <subcommand> [options] [args]",
    about: "Shows how much is registered, in the agent's datacenter or in all of them.",
    entries: [.command("instances", "Counts the instances of services") { instances }])

  private static let onlyBillable = Flag.bool("billable", "Only services that do work of their own, and nodes.")
  private static let onlyConnect = Flag.bool("connect", "Only services of the mesh.")
  private static let all = Flag.bool("all-datacenters", "Of all datacenters.")

  static var instances: Command {
    Command(
      usage: "Usage: consul operator usage instances [options]",
      about: """
        Counts the instances of services, the nodes, and what takes part in the mesh.

            $ consul operator usage instances -all-datacenters
        """,
      clientFlags: ClientFlags.query,
      flags: [onlyBillable.any, onlyConnect.any, all.any]
    ) { invocation in
      if invocation[onlyBillable], invocation[onlyConnect] {
        throw CommandFailure("Cannot specify both -billable and -connect flags")
      }
      let client = try invocation.client()
      let usage = try await explaining("Error fetching usage information") {
        try await client.operator.usage(global: invocation[all], invocation.queryOptions)
      }
      let report = UsageReport(usage, showsDatacenters: invocation[all])
      var sections: [String] = []
      if !invocation[onlyConnect] { sections += [report.billable, report.nodes] }
      if !invocation[onlyBillable] { sections.append(report.connect) }
      invocation.console.out(sections.joined(separator: "\n") + (invocation[onlyBillable] ? "\n" : ""))
      return 0
    }
  }
}

/// The tables of `consul operator usage instances`.
struct UsageReport {
  private struct Datacenter {
    var name: String
    var services: Int
    var billable: Int
    var nodes: Int
    /// Instances of the mesh by kind.
    var connect: [(kind: String, count: Int)]
  }

  private static let gap = 6
  private let datacenters: [Datacenter]
  private let showsDatacenters: Bool

  init(_ usage: DynamicObject, showsDatacenters: Bool) {
    func count(_ value: Dynamic?) -> Int { value?.int.flatMap { Int(exactly: $0) } ?? 0 }
    datacenters = usage.sorted { $0.key < $1.key }.map { name, usage in
      Datacenter(
        name: name, services: count(usage["Services"]), billable: count(usage["BillableServiceInstances"]),
        nodes: count(usage["Nodes"]),
        connect: (usage["ConnectServiceInstances"]?.object ?? DynamicObject()).sorted { $0.key < $1.key }
          .map { (kind: $0.key, count: count($0.value)) })
    }
    self.showsDatacenters = showsDatacenters
  }

  var billable: String {
    let total = datacenters.reduce(0) { $0 + $1.billable }
    var lines = ["Billable Service Instances Total: \(total)"]
    lines += datacenters.map { "\($0.name) Billable Service Instances: \($0.billable)" }
    lines += ["", "Billable Services"]
    var rows = [["Datacenter", "Services", "Service instances"]]
    rows += datacenters.map { [$0.name, String($0.services), String($0.billable)] }
    if showsDatacenters {
      let services = datacenters.reduce(0) { $0 + $1.services }
      rows += [["", "", ""], ["Total", String(services), String(total)]]
    }
    return (lines + Self.table(rows, droppingFirst: !showsDatacenters)).joined(separator: "\n") + "\n\n"
  }

  var nodes: String {
    var rows = [["Datacenter", "Count".padded(to: 17)]]
    rows += datacenters.map { [$0.name, String($0.nodes)] }
    rows += [["", ""], ["Total", String(datacenters.reduce(0) { $0 + $1.nodes })]]
    return (["Nodes"] + Self.table(rows, droppingFirst: false)).joined(separator: "\n") + "\n\n"
  }

  var connect: String {
    var rows = [["Datacenter", "Type", "Service instances"]]
    for datacenter in datacenters {
      rows += datacenter.connect.map { [datacenter.name, $0.kind, String($0.count)] }
    }
    if showsDatacenters {
      let total = datacenters.reduce(0) { $0 + $1.connect.reduce(0) { $0 + $1.count } }
      rows += [["", "", ""], ["Total", "", String(total)]]
    }
    return (["Connect Services"] + Self.table(rows, droppingFirst: !showsDatacenters)).joined(separator: "\n")
  }

  /// Columns with a gap; the last one is not padded.
  private static func table(_ rows: [[String]], droppingFirst: Bool) -> [String] {
    let rows = droppingFirst ? rows.map { Array($0.dropFirst()) } : rows
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in (rows.map { $0[column].count }.max() ?? 0) + gap }
    return rows.map { row in
      row.enumerated().map { $0 == columns - 1 ? $1 : $1.padded(to: widths[$0]) }.joined()
    }
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
}
