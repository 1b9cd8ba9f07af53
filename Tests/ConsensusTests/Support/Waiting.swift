@testable import Consensus

/// A result that a test waits for; the room's own primitive, no timers.
final class Promise<Value: Sendable>: Sendable {
  private let monitor = Monitor<Value?>(nil)

  func fulfil(_ value: Value) { monitor.withLockAndNotify { $0 = value } }

  func wait() -> Value { monitor.waitUntil { $0 } }
}

extension RaftNode {
  func propose(_ text: String) -> Result<Applied, RaftError> {
    let promise = Promise<Result<Applied, RaftError>>()
    propose(Array(text.utf8)) { promise.fulfil($0) }
    return promise.wait()
  }

  func wait<T: Sendable>(
    _ body: (@escaping @Sendable (Result<T, RaftError>) -> Void) -> Void
  ) throws -> T {
    let promise = Promise<Result<T, RaftError>>()
    body { promise.fulfil($0) }
    return try promise.wait().get()
  }
}
