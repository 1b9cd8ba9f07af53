import Logging
import Model
import NIOCore
import Synchronization
import TransportSecurity

/// Lets a server accept the certificates that the cluster's authority gave to agents (`auto_encrypt.allow_tls`): follows its
/// roots and trusts them for clients.
public final class ClientAuthorities: Sendable {
  private let backend: any Backend
  private let security: TransportSecurity
  private let loop: any EventLoop
  private let logger: Logger
  private let state = Mutex<(query: (any PendingQuery)?, isStopped: Bool)>((nil, false))

  public init(backend: any Backend, security: TransportSecurity, on loop: any EventLoop, logger: Logger) {
    self.backend = backend
    self.security = security
    self.loop = loop
    self.logger = logger
  }

  public func start() { loop.execute { self.follow(after: 0) } }

  public func stop() {
    let query = state.withLock { state in
      state.isStopped = true
      return state.query
    }
    query?.cancel()
  }

  private func follow(after index: UInt64) {
    if state.withLock({ $0.isStopped }) { return }
    var options = QueryOptions()
    options.minIndex = index
    options.consistency = .stale
    options.maxTime = BlockingTime.maximumWait
    let query = backend.query(ConnectCARoots(), options, on: loop) { [weak self] result in
      guard let self else { return }
      switch result {
      case .success(let answer):
        take(answer.value)
        loop.execute { self.follow(after: answer.index) }
      case .failure: loop.scheduleTask(in: .seconds(1)) { [weak self] in self?.follow(after: 0) }
      }
    }
    state.withLock { $0.query = query }
  }

  private func take(_ roots: CARoots) {
    do throws(TLSError) {
      try security.setClientAuthorities(roots.certificates)
    } catch {
      logger.error("the cluster's roots cannot be used", metadata: ["error": "\(error)"])
    }
  }
}
