import ConsulClient
import Model

/// `consul watch`: shows a view of the cluster once, or runs a program whenever it changes.
enum WatchCommand {
  private static let filter = Flag.string("filter", "Expression of the filter language for what the view lists.")
  private static let key = Flag.string("key", "Key to watch; for the type key.")
  private static let name = Flag.string("name", "Name of the events to watch; for the type event, all without it.")
  private static let passingOnly = Flag.string(
    "passingonly", placeholder: "true|false",
    "Whether to leave out instances with a failing check; for the type service.")
  private static let prefix = Flag.string("prefix", "Start of the keys to watch; for the type keyprefix.")
  private static let service = Flag.string(
    "service", "Service to watch; for the type service, and for the type checks if they are those of a service.")
  private static let shell = Flag.bool(
    "shell", default: true, "Run the program by a shell: the one of the environment variable SHELL, or /bin/sh.")
  private static let state = Flag.string("state", "State of the checks to watch; for the type checks.")
  private static let tag = Flag.strings(
    "tag", "Tag that the instances must have; for the type service. May be given several times.")
  private static let type = Flag.string(
    "type", "What to watch: key, keyprefix, services, nodes, service, checks or event.")

  /// Types that an agent can watch for its own purposes, of no use here.
  private static let internalTypes: Set<String> = ["connect_roots", "connect_leaf", "agent_service"]

  static var command: Command {
    Command(
      usage: "Usage: consul watch [options] [child...]",
      about: """
        Shows a view of the cluster as JSON and ends; or, if a program follows the options, runs it now and whenever the
        view changes. The program reads the view as JSON from its standard input, and finds the index of the state in
        the environment variable CONSUL_INDEX.

            $ consul watch -type=key -key=app/settings
            $ consul watch -type=service -service=web ./update-balancer.sh

        -type is needed; which other options are, depends on it.
        """,
      clientFlags: ClientFlags.query,
      flags: [
        filter.any, key.any, name.any, passingOnly.any, prefix.any, service.any, shell.any, state.any, tag.any,
        type.any,
      ],
      startsProgram: true,
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    let watch = try watch(invocation)
    let client = try invocation.client()
    _ = try await explaining("Error querying Consul agent") { try await client.status.leader() }
    guard !invocation.arguments.isEmpty else {
      let update = try await explaining("Error querying Consul agent") { try await watch.query(client) }
      invocation.console.out(pretty(update.json))
      return 0
    }
    do {
      return try await Interrupts.cancelling { try await follow(watch, client, invocation) }
    } catch is CancellationError {
      return 0
    }
  }

  private static func watch(_ invocation: Invocation) throws -> Watch {
    guard !invocation[type].isEmpty else { throw CommandFailure("Watch type must be specified", showsHelp: true) }
    guard !internalTypes.contains(invocation[type]) else {
      throw CommandFailure("Type \(invocation[type]) is not supported in the CLI tool")
    }
    var parameters = DynamicObject()
    for flag in [type, key, prefix, service, state, name, filter] where !invocation[flag].isEmpty {
      parameters.append(flag.name, .string(invocation[flag]))
    }
    if !invocation[tag].isEmpty { parameters.append("tag", .array(invocation[tag].map { .string($0) })) }
    if !invocation[passingOnly].isEmpty {
      guard let value = parseBoolean(invocation[passingOnly]) else {
        throw CommandFailure(
          "Failed to parse passingonly flag: strconv.ParseBool: parsing \"\(invocation[passingOnly])\": invalid syntax")
      }
      parameters.append("passingonly", .bool(value))
    }
    do {
      var watch = try Watch(parameters: parameters)
      watch.options.allowStale = invocation[ClientFlags.stale]
      return watch
    } catch {
      throw CommandFailure(error.description)
    }
  }

  private static func follow(_ watch: Watch, _ client: ConsulClient, _ invocation: Invocation) async throws -> Int32 {
    let console = invocation.console
    let shell = invocation[shell] ? invocation.environment.shell : nil
    try await watch.follow(
      client,
      onFailure: { error, pause in
        console.err("Watch failed: \(describe(error)), next attempt in \(pause.components.seconds)s")
      },
      onUpdate: { update in
        let handler = ChildProcess(
          words: invocation.arguments, shell: shell, environment: ["CONSUL_INDEX": String(update.index)])
        let outcome = await handler.run(input: .bytes(update.json + [UInt8(ascii: "\n")]))
        try Task.checkCancellation()
        if let complaint = outcome.complaint { throw CommandFailure("Error executing handler: \(complaint)") }
      })
  }

  private static func pretty(_ json: [UInt8]) -> String {
    String(decoding: json.withUnsafeBytes { prettyJSON($0) }, as: UTF8.self).trimmed
  }
}
