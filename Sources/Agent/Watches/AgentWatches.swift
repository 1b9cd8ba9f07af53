import AgentConfiguration
import ConsulClient
import Logging
import Model
import Synchronization

/// The watches of the configuration: each follows a view of the cluster through the agent's own API and calls its handler
/// whenever the view changes.
final class AgentWatches: Sendable {
  private struct State {
    var client: ConsulClient?
    /// By the text of their definitions: two equal ones are the same.
    var running: [String: Task<Void, Never>] = [:]
  }

  private let state = Mutex(State())
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  /// Makes exactly the watches of a configuration run. Those that run already go on undisturbed, so that a reload does not
  /// call handlers for what they know.
  ///
  /// - Throws: `AgentError.configuration` for a definition that makes no watch; then nothing changes.
  func follow(_ configuration: RuntimeConfiguration) throws(AgentError) {
    var wanted: [String: WatchDefinition] = [:]
    for (index, watch) in configuration.watches.enumerated() {
      do {
        wanted[Dynamic.object(watch.members).json] = try WatchDefinition(watch)
      } catch {
        throw .configuration("watches[\(index)]: \(error)")
      }
    }
    let client = try client(configuration, isNeeded: !wanted.isEmpty)
    let token = configuration.acl.tokens.default
    state.withLock { state in
      for (text, task) in state.running where wanted[text] == nil {
        task.cancel()
        state.running[text] = nil
      }
      guard let client else { return }
      for (text, definition) in wanted where state.running[text] == nil {
        state.running[text] = start(definition, client, token: token)
      }
    }
  }

  private func client(_ configuration: RuntimeConfiguration, isNeeded: Bool) throws(AgentError) -> ConsulClient? {
    if let client = state.withLock({ $0.client }) { return client }
    guard isNeeded else { return nil }
    guard let access = configuration.ownAccess else {
      throw .configuration("watches need the HTTP API, which the configuration turns off")
    }
    do throws(ClientError) {
      let client = try ConsulClient(access)
      state.withLock { $0.client = client }
      return client
    } catch {
      throw .configuration("\(error)")
    }
  }

  private func start(_ definition: WatchDefinition, _ client: ConsulClient, token: String) -> Task<Void, Never> {
    var watch = definition.watch
    if watch.options.token == nil, !token.isEmpty { watch.options.token = token }
    let handler = definition.handler
    let name = definition.name
    return Task { [logger, watch] in
      do {
        try await watch.follow(
          client,
          onFailure: { error, pause in
            logger.error(
              "a watch failed",
              metadata: ["watch": "\(name)", "error": "\(error)", "retry": "\(pause.components.seconds)s"])
          },
          onUpdate: { update in
            if let complaint = await handler.call(update) {
              logger.error("the handler of a watch failed", metadata: ["watch": "\(name)", "error": "\(complaint)"])
            }
            try Task.checkCancellation()
          })
      } catch {
        // Only the end of the watch leads here.
      }
    }
  }

  /// Ends all watches; handlers that run are ended, too.
  func stop() async {
    let (tasks, client) = state.withLock { state in
      defer { state = State() }
      return (Array(state.running.values), state.client)
    }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    await client?.shutdown()
  }
}

/// A watch of the configuration: what to follow, and what to call.
struct WatchDefinition: Sendable {
  let watch: Watch
  let handler: WatchHandler
  /// What logs call it.
  let name: String

  /// Members that are about the handler.
  private static let handlerMembers: Set<String> = ["handler", "handler_type", "args", "http_handler_config"]

  init(_ definition: DynamicMap) throws {
    watch = try Watch(parameters: definition.members, exempt: Self.handlerMembers)
    handler = try WatchHandler(definition)
    name = definition["type"]?.string ?? ""
  }
}
