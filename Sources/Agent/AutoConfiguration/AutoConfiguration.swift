import AgentConfiguration
import Certificates
import Logging
import Model
import Server
import Synchronization
import Telemetry

/// What the servers gave this agent to start with, kept in `auto-config.json` of the data directory: the next start needs no
/// server.
final class AutoConfiguration: Sendable {
  private struct State {
    var response: AutoConfigResponse
    var observer: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>
  private let saving = Mutex(())
  /// Nil keeps nothing.
  private let path: String?

  init(_ response: AutoConfigResponse, path: String?) {
    state = Mutex(State(response: response))
    self.path = path
  }

  /// What was kept at an earlier start, or else what servers give now; nil for an agent that does not ask.
  ///
  /// - Throws: `AgentError` and `TLSError` for files that cannot be used.
  static func obtain(_ configuration: RuntimeConfiguration, _ logger: Logger) async throws -> AutoConfiguration? {
    guard configuration.autoConfig.enabled else { return nil }
    let path = try DataDirectory.prepare(configuration).map { "\($0)/auto-config.json" }
    if let path, let kept = try load(path, for: configuration, logger) {
      logger.info("auto_config: goes on with what the servers gave before", metadata: ["file": "\(path)"])
      return AutoConfiguration(kept, path: path)
    }
    let new = AutoConfiguration(try await Introduction(configuration).untilAnswered(logger), path: path)
    try new.save()
    return new
  }

  /// A file of another agent, or one that is broken, is as good as none.
  private static func load(
    _ path: String, for configuration: RuntimeConfiguration, _ logger: Logger
  ) throws(AgentError) -> AutoConfigResponse? {
    guard let text = try SmallFile.read(path, limit: 1 << 20) else { return nil }
    guard let response = try? AutoConfigResponse(json: text.utf8, DecodingContext(.api)),
      response.certificate?.privateKeyPEM.isEmpty == false
    else {
      logger.warning("auto_config: what was kept cannot be read", metadata: ["file": "\(path)"])
      return nil
    }
    let config = response.config
    guard config.nodeName == configuration.nodeName, config.datacenter == configuration.datacenter else {
      logger.warning(
        "auto_config: what was kept is for another agent", metadata: ["node": "\(config.nodeName)", "file": "\(path)"])
      return nil
    }
    return response
  }

  private func save() throws(AgentError) {
    guard let path else { return }
    // Two threads may save at the same time: the last one writes what holds then.
    try saving.withLock { _ in
      Result { () throws(AgentError) in
        let response = state.withLock { $0.response }
        var writer = JSONWriter()
        response.encodeJSON(&writer, [])
        try SmallFile.replace(path, with: String(decoding: writer.finish(), as: UTF8.self))
      }
    }.get()
  }

  /// Saves on a thread that may wait for the disk.
  private func saveSoon() {
    Agent.onOwnThread { [self] in
      do throws(AgentError) {
        try save()
      } catch {
        LogOutput.logger("agent.auto_config").error(
          "auto_config: the configuration was not kept", metadata: ["error": "\(error)"])
      }
    }
  }

  // MARK: Use

  /// The settings as a source of configuration.
  var values: SettingValues { state.withLock { $0.response.config.values } }

  /// The certificate to start with, and its key.
  func certificate() throws(AgentError) -> (GivenCertificate, PrivateKey) {
    let response = state.withLock { $0.response }
    guard let given = GivenCertificate(response), let text = response.certificate?.privateKeyPEM,
      let key = try? PrivateKey(pem: text.revealed)
    else { throw .configuration("auto_config: the servers gave no certificate") }
    return (given, key)
  }

  /// `observer` is called when the servers gave other settings.
  func observe(_ observer: @escaping @Sendable () -> Void) { state.withLock { $0.observer = observer } }

  /// A certificate was renewed, or roots have changed.
  func keep(_ given: GivenCertificate, _ key: PrivateKey) {
    let isNew = state.withLock { state in
      let before = state.response
      state.response.take(given, key)
      return state.response != before
    }
    if isNew { saveSoon() }
  }

  /// The agent had to be introduced again. The certificate follows when it is in force.
  func replaceSettings(by response: AutoConfigResponse) {
    let observer = state.withLock { state in
      state.response.config = response.config
      return state.observer
    }
    saveSoon()
    observer?()
  }
}
