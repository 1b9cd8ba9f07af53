import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// How one check wants its TLS.
struct TLSWish: Sendable, Equatable {
  var skipsVerification: Bool
  /// The name to ask for and to find in the certificate; "" takes that of the target.
  var serverName: String
  /// Offers HTTP/2 to the server (ALPN).
  var offersHTTP2 = false
}

/// TLS contexts for checks, made when first needed: those with the system's authorities take a megabyte and some milliseconds.
final class TLSContexts: Sendable {
  private struct Key: Hashable {
    var skipsVerification: Bool
    var offersHTTP2: Bool
  }
  private struct State {
    var base: TLSConfiguration?
    var made: [Key: NIOSSLContext] = [:]
  }
  private let state: Mutex<State>

  init(_ base: TLSConfiguration?) { state = Mutex(State(base: base)) }

  /// From now on connections use another certificate and other authorities.
  func replace(_ base: TLSConfiguration?) { state.withLock { $0 = State(base: base) } }

  func context(_ wish: TLSWish, on loop: any EventLoop) -> EventLoopFuture<NIOSSLContext> {
    let key = Key(skipsVerification: wish.skipsVerification, offersHTTP2: wish.offersHTTP2)
    if let made = state.withLock({ $0.made[key] }) { return loop.makeSucceededFuture(made) }
    return NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try self.make(key) }
  }

  private func make(_ key: Key) throws -> NIOSSLContext {
    try state.withLock { state in
      if let made = state.made[key] { return made }
      var configuration = state.base ?? .makeClientConfiguration()
      if key.skipsVerification {
        configuration.certificateVerification = .none
        if state.base == nil { configuration.trustRoots = .certificates([]) }
      }
      configuration.applicationProtocols = key.offersHTTP2 ? ["h2"] : []
      let context = try NIOSSLContext(configuration: configuration)
      state.made[key] = context
      return context
    }
  }
}
