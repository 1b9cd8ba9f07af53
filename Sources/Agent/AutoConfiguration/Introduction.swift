import AgentConfiguration
import Certificates
import Logging
import Model
import NIOPosix
import Server
import Telemetry
import TransportSecurity

/// An agent that is new to the cluster: asks servers for what it starts with (`auto_config`), over connections that need no
/// certificate.
struct Introduction: Sendable {
  /// After all servers failed; doubles up to `pauseMax`.
  private static let pauseMin = 1.0
  private static let pauseMax = 600.0

  let configuration: RuntimeConfiguration
  let call: StrangerCall

  init(_ configuration: RuntimeConfiguration, call: StrangerCall) {
    self.configuration = configuration
    self.call = call
  }

  /// What an agent that has nothing yet uses.
  ///
  /// - Throws: `TLSError` for files that cannot be used.
  init(_ configuration: RuntimeConfiguration) throws {
    let outgoing = OutgoingSecurity(
      try TransportSecurity(AgentTLSSettings(configuration)), members: MemberTable(datacenter: configuration.datacenter)
    )
    let bind = configuration.addresses.bind.description
    self.init(
      configuration,
      call: StrangerCall(
        group: MultiThreadedEventLoopGroup.singleton, security: outgoing,
        localAddress: ["0.0.0.0", "::"].contains(bind) ? nil : bind))
  }

  /// `host:port` of the servers that may be asked.
  var servers: [String] {
    configuration.autoConfig.serverAddresses.filter { !$0.contains("=") }
      .map { Self.address($0, port: configuration.ports.server) }
  }

  /// A host with its port; where it has none, `port`.
  static func address(_ text: String, port: Int) -> String {
    if text.hasPrefix("[") { return text.contains("]:") ? text : "\(text):\(port)" }
    switch text.count(where: { $0 == ":" }) {
    case 0: return "\(text):\(port)"
    case 1: return text
    default: return "[\(text)]:\(port)"
    }
  }

  /// The token that introduces the agent. A file is read each time: whoever renews the token replaces it.
  func token() throws(AgentError) -> String {
    let settings = configuration.autoConfig
    if !settings.introToken.isEmpty { return settings.introToken }
    let text = try SmallFile.read(settings.introTokenFile) ?? ""
    let token = text.filter { !$0.isWhitespace }
    guard !token.isEmpty else { throw .unusableFile(path: settings.introTokenFile, reason: "no intro token in it") }
    return token
  }

  /// Asks one server.
  func ask(_ server: String, signingRequest: String) async throws -> AutoConfigResponse {
    var request = AutoConfigRequest()
    request.datacenter = configuration.datacenter
    request.node = configuration.nodeName
    request.jwt = try token()
    request.csr = signingRequest
    return try await call.initialConfiguration(request, at: server)
  }

  /// Asks one server after the other, as long as it takes.
  func untilAnswered(_ logger: Logger) async throws -> AutoConfigResponse {
    let key = try PrivateKey.generate(.p256)
    let request = try AutoEncryption.Names(configuration).signingRequest(key)
    var pause = Self.pauseMin
    while true {
      if servers.isEmpty { logger.warning("auto_config: none of the server addresses can be used") }
      for server in servers.shuffled() {
        do {
          var response = try await ask(server, signingRequest: request)
          response.certificate?.privateKeyPEM = Secret(key.pem)
          logger.info("auto_config: got the initial configuration", metadata: ["server": "\(server)"])
          return response
        } catch {
          logger.warning(
            "auto_config: a server gave no initial configuration",
            metadata: ["server": "\(server)", "error": "\(error)"])
        }
      }
      try await Task.sleep(for: .seconds(pause * .random(in: 1...1.25)))
      pause = min(pause * 2, Self.pauseMax)
    }
  }
}

extension AutoEncryption.Names {
  /// What the certificate of an agent names.
  init(_ configuration: RuntimeConfiguration) {
    self.init(datacenter: configuration.datacenter, node: configuration.nodeName)
    let (encrypt, config) = (configuration.autoEncrypt, configuration.autoConfig)
    dnsNames = config.enabled ? config.dnsSANs : encrypt.dnsSANs
    addresses = (config.enabled ? config.ipSANs : encrypt.ipSANs).map(\.description)
  }
}
