import ConsulClient
import Model

/// `consul services exported-services`
enum ExportedServicesCommand {
  private static let format = Flag.string("format", default: "pretty", "How to print it: pretty or json.")
  private static let filter = Flag.string("filter", "Expression that the services have to match.")

  static var command: Command {
    Command(
      usage: "Usage: consul services exported-services [options]",
      about: "Lists the services that peers may use, as the config entry exported-services says.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [format.any, filter.any]
    ) { invocation in
      let kind = invocation[format]
      guard kind == "pretty" || kind == "json" else {
        throw CommandFailure("Invalid format, valid formats are {pretty|json}")
      }
      var options = invocation.queryOptions
      options.filter = invocation[filter]
      let client = try invocation.client()
      let services = try await explaining("Error listing exported services") { [options] in
        try await client.configEntries.sharedServices(options)
      }
      if kind == "json" {
        invocation.console.out(json(services))
      } else if services.isEmpty {
        invocation.console.out("No exported services found")
      } else {
        let rows = services.map { [$0.name, $0.peers.joined(separator: ", ")] }
        invocation.console.out(Columns.render([["Service", "Consumer Peers"]] + rows))
      }
      return 0
    }
  }

  private static func json(_ services: [(name: String, peers: [String])]) -> String {
    let list = services.map { service in
      Dynamic.object(
        DynamicObject([
          (key: "Service", value: .string(service.name)),
          (key: "Consumers", value: ["Peers": .array(service.peers.map { .string($0) })]),
        ]))
    }
    let bytes = Array(Dynamic.array(list).json.utf8).withUnsafeBytes { prettyJSON($0) }
    return String(decoding: bytes, as: UTF8.self).trimmed
  }
}
