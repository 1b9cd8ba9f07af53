import Consensus
import Logging
import State
import Synchronization

/// Where the commands of a leader's duties go: to consensus, which is made after the duties. What comes before waits.
final class LeaderProposals: Sendable {
  /// Takes an encoded command and tells what became of it.
  typealias Log = @Sendable (_ command: [UInt8], _ completion: @escaping ProposalCompletion) -> Void
  typealias Completion = @Sendable (Result<CommandResult, ServerError>) -> Void

  private struct State {
    var log: Log?
    var waiting: [(command: Command, completion: Completion?)] = []
  }

  private let logger: Logger
  private let state = Mutex(State())

  init(logger: Logger) { self.logger = logger }

  func start(_ log: @escaping Log) {
    let waiting = state.withLock { state in
      state.log = log
      defer { state.waiting = [] }
      return state.waiting
    }
    for (command, completion) in waiting {
      if let completion { propose(command, completion) } else { propose(command) }
    }
  }

  /// A command that fails is only logged: whoever proposed it compares again what is with what should be.
  func propose(_ command: Command) {
    let log = state.withLock {
      if $0.log == nil { $0.waiting.append((command, nil)) }
      return $0.log
    }
    log?(command.encode()) { [logger] result in
      if case .failure(let error) = result, error != .shutDown {
        logger.warning("a leader's command failed", metadata: ["error": "\(error)"])
      }
    }
  }

  /// The same, and says what came of it.
  func propose(_ command: Command, _ completion: @escaping Completion) {
    let log = state.withLock {
      if $0.log == nil { $0.waiting.append((command, completion)) }
      return $0.log
    }
    log?(command.encode()) { result in
      completion(result.map { $0.result as? CommandResult ?? .done }.mapError { ServerError($0) })
    }
  }
}
