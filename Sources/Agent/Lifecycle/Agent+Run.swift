import AgentConfiguration
import Logging
import Model
import Telemetry
import UnixSignals

#if canImport(Glibc)
  import Glibc
#endif

extension Agent {
  /// Runs an agent until a signal or a client ends it.
  ///
  /// - Returns: The exit code of the process: 0 after a graceful leave, else 1.
  /// - Throws: `ConfigurationError` or `AgentError` when the agent does not start.
  public static func run(_ loader: ConfigurationLoader) async throws -> Int32 {
    var (loader, loaded) = (loader, try loader.load())
    var configuration = loaded.configuration
    if let problem = configuration.startProblem { throw problem }
    let level = LogLevel(configuration.logging.level) ?? .info
    let console = DescriptorSink(
      descriptor: STDOUT_FILENO, level: level,
      json: configuration.logging.json)
    let sinks: [any AdjustableLogSink] = [console] + (try LogSetup.sinks(configuration.logging, level: level))
    for sink in sinks { LogOutput.shared.add(sink) }
    let automatic = try await AutoConfiguration.obtain(configuration, LogOutput.logger("agent.auto_config"))
    if let automatic {
      loader.automatic = automatic.values
      loaded = try loader.load()
      configuration = loaded.configuration
      if let problem = configuration.startProblem { throw problem }
    }
    let logger = LogOutput.logger("agent")
    let agent = try Agent(configuration, loader: loader, automatic: automatic, sinks: sinks)
    if !configuration.logging.json { console.writeText(agent.banner) }
    // The reference has them under both names, and scripts look for either.
    for log in [LogOutput.logger("agent.auto_config"), logger] {
      for warning in loaded.warnings { log.warning("\(warning)") }
    }
    if !configuration.pidFile.isEmpty { try SmallFile.replace(configuration.pidFile, with: "\(getpid())", mode: 0o644) }
    defer { if !configuration.pidFile.isEmpty { SmallFile.remove(configuration.pidFile) } }
    let signals = await UnixSignalsSequence(trapping: .sighup, .sigint, .sigterm)
    agent.startMetrics()
    do {
      try await agent.start()
    } catch {
      await agent.stop()
      throw error
    }
    return await agent.untilEnd(signals)
  }

  private func untilEnd(_ signals: UnixSignalsSequence) async -> Int32 {
    let listener = Task { for await signal in signals { await self.handle(signal) } }
    defer { listener.cancel() }
    let watcher = configuration.autoReload ? Task { await self.reloadOnChanges() } : nil
    defer { watcher?.cancel() }
    let settled = Task {
      try await Task.sleep(for: .seconds(2))
      ProgramPages.release()
    }
    defer { settled.cancel() }
    var ending = Ending.shutdown
    for await first in endings {
      ending = first
      break
    }
    if ending == .leave { await leaveCluster() }
    await answerLeavers()
    await stop()
    logger.info("exiting")
    return ending == .leave ? 0 : 1
  }

  private func handle(_ signal: UnixSignal) async {
    logger.info("caught a signal", metadata: ["signal": "\(signal)"])
    let configuration = configuration
    switch signal {
    case .sighup:
      do {
        try await reloadConfiguration()
      } catch {
        logger.error("the configuration was not reloaded", metadata: ["error": "\(error)"])
      }
    case .sigterm: end.yield(configuration.leaveOnTerminate ? .leave : .shutdown)
    default: end.yield(configuration.skipLeaveOnInterrupt ? .shutdown : .leave)
    }
  }

  /// What the console shows before the log.
  private var banner: String {
    let it = configuration
    let clients = it.addresses.clients.map(\.description).joined(separator: " ")
    let ports = it.ports
    return """
      ==> Starting \(Release.product) agent...
                     Version: '\(Release.productVersion)' (speaks Consul \(Release.version))
                     Node ID: '\(nodeID)'
                   Node name: '\(it.nodeName)'
                  Datacenter: '\(it.datacenter)' (Segment: '\(it.isServer ? "<all>" : "")')
                      Server: \(it.isServer) (Bootstrap: \(it.bootstrap))
                 Client Addr: [\(clients)] (HTTP: \(ports.http), HTTPS: \(ports.https), gRPC: \(ports.grpc), \
      gRPC-TLS: \(ports.grpcTLS), DNS: \(ports.dns))
                Cluster Addr: \(it.addresses.advertiseLAN) (LAN: \(ports.serfLAN), WAN: \(ports.serfWAN))

      ==> Log data will now stream in as it occurs:

      """
  }
}
