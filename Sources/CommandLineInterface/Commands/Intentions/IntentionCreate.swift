import ConsulClient
import Model

/// `consul intention create`
enum IntentionCreate {
  private static let allow = Flag.bool("allow", "Allow the connections (default).")
  private static let deny = Flag.bool("deny", "Deny the connections.")
  private static let file = Flag.bool("file", "The arguments are JSON files with one intention each.")
  private static let replace = Flag.bool("replace", "Replace intentions that exist already.")
  private static let meta = Flag<[String: String]>.map("meta", "Metadata; may be given several times.")

  static var command: Command {
    Command(
      usage: "Usage: consul intention create [options] SRC DST\nUsage: consul intention create [options] -file FILE...",
      about: """
        Makes intentions: from the first service to the second, or those in files.

            $ consul intention create web db
            $ consul intention create -deny web db
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [allow.any, deny.any, file.any, replace.any, meta.any]
    ) { invocation in
      if invocation[allow], invocation[deny] {
        throw CommandFailure("Only one of -allow or -deny may be specified.")
      }
      let intentions = try intentions(invocation)
      let client = try invocation.client()
      for intention in intentions {
        if invocation[replace], try await replaced(intention, client) { continue }
        _ = try await explaining("Error creating intention \(intention.summary.goQuoted)") {
          try await client.intentions.create(intention)
        }
        invocation.console.out("Created: \(intention.summary)")
      }
      return 0
    }
  }

  private static func intentions(_ invocation: Invocation) throws -> [Intention] {
    if invocation[file] { return try invocation.arguments.map(load) }
    guard invocation.arguments.count == 2 else {
      throw CommandFailure("Error: Must specify two arguments: source and destination")
    }
    var intention = Intention()
    intention.sourceName = invocation.arguments[0]
    intention.destinationName = invocation.arguments[1]
    intention.sourceType = "consul"
    intention.action = invocation[deny] ? Intention.deny : Intention.allow
    intention.meta = StringMap(invocation[meta].map { (key: $0.key, value: $0.value) })
    return [intention]
  }

  private static func load(_ path: String) throws -> Intention {
    do {
      return try Intention(json: try FileReader.read(path), DecodingContext(.api, refusesUnknown: true))
    } catch {
      throw CommandFailure("Error: \(describe(error))")
    }
  }

  /// Replaces the intention with the same ends.
  /// - Returns: whether there was one.
  private static func replaced(_ intention: Intention, _ client: ConsulClient) async throws -> Bool {
    let (source, destination) = (intention.sourceName, intention.destinationName)
    let failure =
      "Error replacing intention with source \(source.goQuoted) and destination \(destination.goQuoted)"
    return try await explaining(failure) {
      guard let old = try await client.intentions.read(source: source, destination: destination) else { return false }
      var new = intention
      new.id = old.id
      if old.id.isEmpty {
        // One that is part of a config entry, whose metadata belong to all of it.
        new.meta = old.meta
        try await client.intentions.upsert(new)
      } else {
        try await client.intentions.update(new)
      }
      return true
    }
  }
}
