import Consensus
import Logging
import Model
import NIOCore
import Synchronization

/// Begins a cluster together with the other servers that were told how many they will be (`bootstrap_expect`); see
/// `ClusterBirth`. Over as soon as this server has a log, whoever began it.
public final class ClusterFormation: Sendable {
  /// Each server is asked so often whether it knows of a cluster, with a pause that doubles.
  private static let attempts = 6
  private static let firstPause = TimeAmount.seconds(1)

  private let server: ServerNode
  private let client: RPCClient
  private let expect: Int
  private let loop: any EventLoop
  private let isAsking = Mutex(false)

  /// - Parameter expect: How many servers begin the cluster.
  public init(_ server: ServerNode, client: RPCClient, expect: Int, on loop: any EventLoop) {
    self.server = server
    self.client = client
    self.expect = expect
    self.loop = loop
    server.members.observe { [weak self] change in
      guard case .changed(let member) = change, member.status == .alive, ServerMember(member) != nil else { return }
      self?.consider()
    }
  }

  private var logger: Logger { server.settings.logger }

  public func consider() {
    guard server.raft.lastIndex == 0 else { return }
    let decision = ClusterBirth.decide(
      server.members.servers, ownID: server.raftID, expect: expect, datacenter: server.datacenter)
    switch decision {
    case .wait: break
    case .conflict(let reason): logger.error("\(reason)")
    case .begin(let others, let configuration):
      guard
        isAsking.withLock({ asking in
          defer { asking = true }
          return !asking
        })
      else { return }
      ask(others[...], configuration)
    }
  }

  /// Asks one server after another; the first that knows of a cluster ends the attempt, since it will let this one in.
  private func ask(_ others: ArraySlice<ServerMember>, _ configuration: RaftConfiguration, attempt: Int = 1) {
    guard let next = others.first else { return begin(configuration) }
    var request = DCSpecificRequest()
    request.datacenter = server.datacenter
    _ = client.call("Status.Peers", .messagePack(request), to: next.rpcAddress, on: loop) { [self] result in
      switch result.flatMap({ Self.peers($0) }) {
      case .success(let peers) where peers.isEmpty: ask(others.dropFirst(), configuration)
      case .success:
        logger.info("a cluster is there already, this server waits to be let in", metadata: ["server": "\(next.name)"])
        end()
      case .failure(let error) where attempt >= Self.attempts:
        logger.error("a server was not asked for its peers", metadata: ["server": "\(next.name)", "error": "\(error)"])
        end()
      case .failure:
        let pause = TimeAmount.nanoseconds(Self.firstPause.nanoseconds << Int64(attempt - 1))
        loop.scheduleTask(in: pause) { self.ask(others, configuration, attempt: attempt + 1) }
      }
    }
  }

  private static func peers(_ body: ByteBuffer) -> Result<[String], RPCError> {
    Result { () throws(MessagePackError) in try [String](decoding: body) }.mapError { .malformed("\($0)") }
  }

  private func begin(_ configuration: RaftConfiguration) {
    logger.info(
      "found the expected number of servers, beginning a cluster",
      metadata: ["servers": "\(configuration.servers.map(\.address).joined(separator: ","))"])
    server.raft.bootstrap(configuration) { [self] result in
      if case .failure(let error) = result {
        logger.info("the cluster was begun by others", metadata: ["reason": "\(error)"])
      }
      end()
    }
  }

  private func end() { isAsking.withLock { $0 = false } }
}
