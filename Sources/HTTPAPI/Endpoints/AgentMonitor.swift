import NIOCore

/// `/v1/agent/monitor`: the log as it is written, until the client goes away.
enum AgentMonitor {
  private static let levels = ["trace", "debug", "info", "warn", "err", "error"]

  static func follow(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let wanted = (request.query["loglevel"] ?? "").lowercased()
    let level = wanted.isEmpty ? "info" : wanted
    guard levels.contains(level) else { throw .badRequest("Unknown log level: \(level)") }
    exchange.beginStream(ResponseHead(.ok, .none))
    let subscription = api.control.monitor(level: level, json: request.query.has("logjson")) { line in
      exchange.loop.execute { exchange.stream(line + "\n") }
    }
    if exchange.isOpen { exchange.onCancel = { subscription.cancel() } } else { subscription.cancel() }
  }
}
