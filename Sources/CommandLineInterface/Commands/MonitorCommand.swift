import ConsulClient

/// `consul monitor`: the log of a running agent.
enum MonitorCommand {
  private static let level = Flag.string("log-level", default: "INFO", "Lowest level that is shown.")
  private static let json = Flag.bool("log-json", "Show records as JSON, one per line.")

  static var command: Command {
    Command(
      usage: "Usage: consul monitor [options]",
      about: """
        Shows what an agent logs from now on, until it is interrupted. The level may be lower than the one that the agent
        itself logs with.
        """,
      clientFlags: ClientFlags.connection,
      flags: [level.any, json.any]
    ) { invocation in
      let client = try invocation.client()
      var request = APIRequest("GET", "/v1/agent/monitor")
      request.add("loglevel", invocation[level])
      if invocation[json] { request.add("logjson", "true") }
      let console = invocation.console
      do {
        return try await Interrupts.cancelling { [request] in
          let stream = try await explaining("Error starting monitor") { try await client.stream(request) }
          for try await piece in stream { console.write(.out, piece) }
          // A cancelled stream ends like one whose agent ended.
          try Task.checkCancellation()
          console.err("Remote side ended the monitor! This usually means that the\nremote side has exited or crashed.")
          return 1
        }
      } catch is CancellationError {
        return 0
      }
    }
  }
}
