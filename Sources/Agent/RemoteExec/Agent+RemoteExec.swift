import AgentConfiguration
import ConsulClient
import Logging
import Telemetry

extension Agent {
  /// Lets this machine run the commands of `consul exec`, or has their events dropped where the configuration forbids them.
  ///
  /// - Throws: `AgentError.configuration` where the API is turned off that they need.
  func startRemoteExec() throws(AgentError) {
    let configuration = configuration
    let logger = LogOutput.logger("agent.exec")
    guard !configuration.disableRemoteExec else {
      return local.events.handle(RemoteJob.event) { event in
        logger.info("ignoring a command: remote exec is disabled", metadata: ["id": "\(event.id)"])
      }
    }
    guard let access = configuration.ownAccess else {
      throw .configuration("remote exec needs the HTTP API, which the configuration turns off")
    }
    do throws(ClientError) {
      let tokens = configuration.acl.tokens
      let executor = RemoteExecutor(
        client: try ConsulClient(access), node: configuration.nodeName,
        token: tokens.agent.isEmpty ? tokens.default : tokens.agent, logger: logger)
      local.events.handle(RemoteJob.event) { executor.take($0) }
      state.withLock { $0.remoteExecutor = executor }
    } catch {
      throw .configuration("\(error)")
    }
  }
}
