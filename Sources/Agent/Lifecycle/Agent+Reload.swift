import AgentConfiguration
import DNSServer
import LocalAgent
import Logging
import Model
import Server
import Telemetry
import TransportSecurity

extension Agent {
  /// Reads the configuration again and puts into effect what can be changed while the agent runs.
  ///
  /// - Throws: The first error of the new configuration; the old one then stays in force as a whole.
  func reloadConfiguration() async throws {
    let loaded = try loader.withLock { $0 }.load()
    for warning in loaded.warnings { logger.warning("\(warning)") }
    if let problem = loaded.configuration.startProblem { throw problem }
    let old = configuration
    let changes = ConfigurationChanges(from: old, to: loaded.configuration)
    if !changes.ignored.isEmpty {
      logger.warning("changes that need a restart", metadata: ["options": "\(changes.ignored.joined(separator: ","))"])
    }
    var new = old.reloaded(with: loaded.configuration)
    try tokenStore.load(into: &new.acl.tokens)
    try security.update(AgentTLSSettings(new))
    local.replaceCheckTLS(new.checkTLS(security))
    state.withLock { [new] in $0.configuration = new }
    useTokens(new.acl.tokens)
    if let level = LogLevel(new.logging.level) {
      for sink in sinks { sink.level = level }
      LogOutput.shared.levelsChanged()
    }
    state.withLock { $0.metrics }?.update(MetricsSettings(new.telemetry), targets: new.telemetry.targets)
    try dns?.update(DNSSettings(new))
    cache.setFetchRate(new.cache.entryFetchRate, burst: new.cache.entryFetchMaxBurst)
    server?.setRequestLimits(RequestLimits(new.limits))
    cluster.setLimits(new.limits)
    httpServer?.setConnectionsPerClient(new.limits.httpMaxConnectionsPerClient)
    local.pauseSync()
    defer { local.resumeSync() }
    try await load(new)
    try watches.follow(new)
    logger.info("configuration reloaded")
  }

  /// The servers gave other settings: those that can change while the agent runs do.
  func automaticSettingsChanged() {
    guard let automatic else { return }
    loader.withLock { $0.automatic = automatic.values }
    Task {
      do {
        try await reloadConfiguration()
      } catch {
        logger.error("the configuration was not reloaded", metadata: ["error": "\(error)"])
      }
    }
  }
}
