import Consensus

/// What the duties about members need of consensus: who takes part, how they are, and how to change that.
protocol ConsensusMembership: AnyObject, Sendable {
  /// This server.
  var ownID: ServerID { get }
  /// The newest configuration, also while it is not committed yet.
  var latestConfiguration: RaftConfiguration { get }
  var currentStatus: RaftStatus { get }
  /// Changes wait for each other.
  func change(_ change: ConfigurationChange, completion: @escaping @Sendable (Result<Applied, RaftError>) -> Void)
}

extension RaftNode: ConsensusMembership {
  var ownID: ServerID { options.id }
  var latestConfiguration: RaftConfiguration { configuration.servers }

  func change(_ change: ConfigurationChange, completion: @escaping @Sendable (Result<Applied, RaftError>) -> Void) {
    self.change(change, expectedIndex: nil, completion: completion)
  }
}
