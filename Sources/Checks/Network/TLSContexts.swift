import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// How one check wants its TLS.
struct TLSWish: Sendable, Equatable {
  var skipsVerification: Bool
  /// The name to ask for and to find in the certificate; "" takes the agent's choice or else that of the target.
  var serverName: String
  /// Offers HTTP/2 to the server (ALPN).
  var offersHTTP2 = false
}

/// What an agent lends to the checks of its services (`enable_agent_tls_for_checks`).
public struct AgentTLS: Sendable {
  /// Its certificate and authorities.
  public var configuration: TLSConfiguration
  /// The name that servers have to carry unless a check names another (`server_name`, or the node's name).
  public var serverName: String

  public init(_ configuration: TLSConfiguration, serverName: String) {
    self.configuration = configuration
    self.serverName = serverName
  }
}

/// TLS contexts for checks, made when first needed: those with the system's authorities take a megabyte and some milliseconds.
final class TLSContexts: Sendable {
  private struct Key: Hashable {
    var skipsVerification: Bool
    var offersHTTP2: Bool
  }
  private struct State {
    var agent: AgentTLS?
    var made: [Key: NIOSSLContext] = [:]
  }
  private let state: Mutex<State>

  init(_ agent: AgentTLS?) { state = Mutex(State(agent: agent)) }

  /// From now on connections use another certificate and other authorities.
  func replace(_ agent: AgentTLS?) { state.withLock { $0 = State(agent: agent) } }

  /// The name that servers have to carry unless a check names another; "" is that of the target.
  var serverName: String { state.withLock { $0.agent?.serverName ?? "" } }

  func context(_ wish: TLSWish, on loop: any EventLoop) -> EventLoopFuture<NIOSSLContext> {
    let key = Key(skipsVerification: wish.skipsVerification, offersHTTP2: wish.offersHTTP2)
    if let made = state.withLock({ $0.made[key] }) { return loop.makeSucceededFuture(made) }
    return NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try self.make(key) }
  }

  private func make(_ key: Key) throws -> NIOSSLContext {
    try state.withLock { state in
      if let made = state.made[key] { return made }
      var configuration = state.agent?.configuration ?? .makeClientConfiguration()
      if key.skipsVerification {
        configuration.certificateVerification = .none
        if state.agent == nil { configuration.trustRoots = .certificates([]) }
      }
      configuration.applicationProtocols = key.offersHTTP2 ? ["h2"] : []
      let context = try NIOSSLContext(configuration: configuration)
      state.made[key] = context
      return context
    }
  }
}
