import AgentConfiguration
import LocalAgent
import Model

extension Agent {
  /// Registers what the configuration defines and what the data directory kept.
  func load(_ configuration: RuntimeConfiguration) async throws {
    let services = configuration.services
    let checks = configuration.checks
    let local = local
    let result: Result<Void, LocalAgentError> = await withCheckedContinuation { continuation in
      Self.onOwnThread {
        do throws(LocalAgentError) {
          try local.load(services: services, checks: checks)
          continuation.resume(returning: .success(()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    try result.get()
  }
}

extension AgentTokens {
  init(_ configuration: RuntimeConfiguration) {
    self.init()
    user = configuration.acl.tokens.default
    agent = configuration.acl.tokens.agent
    configuredServices = configuration.acl.tokens.configFileServiceRegistration
  }
}
