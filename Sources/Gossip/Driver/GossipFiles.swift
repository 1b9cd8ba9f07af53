import Logging
import NIOPosix

/// Writes what a pool wants to remember, in order, on a thread of its own.
final class GossipFiles: Sendable {
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let snapshot: SnapshotFile?
  private let keep: (@Sendable ([String]) -> String?)?
  private let logger: Logger

  init(snapshotPath: String?, keepKeys: (@Sendable ([String]) -> String?)?, logger: Logger) {
    snapshot = snapshotPath.map { SnapshotFile($0) }
    keep = keepKeys
    self.logger = logger
    thread.start()
  }

  /// Tells why keys could not be kept, or nil if they were or need not be. `done` runs on any thread.
  func keepKeys(_ texts: [String], _ done: @escaping @Sendable (_ problem: String?) -> Void) {
    guard let keep else { return done(nil) }
    thread.submit { state in
      if case .active = state { done(keep(texts)) } else { done("\(GossipError.notRunning)") }
    }
  }

  func appendSnapshot(_ bytes: [UInt8]) {
    write { (file) throws(GossipError) in try file.append(bytes) }
  }

  func replaceSnapshot(_ bytes: [UInt8]) {
    write { (file) throws(GossipError) in try file.replace(bytes) }
  }

  private func write(_ body: @escaping @Sendable (SnapshotFile) throws(GossipError) -> Void) {
    guard let snapshot else { return }
    let logger = logger
    thread.submit { _ in
      do throws(GossipError) {
        try body(snapshot)
      } catch {
        logger.error("gossip snapshot cannot be written", metadata: ["error": "\(error)"])
      }
    }
  }

  /// Does blocking work off the event loops.
  func run<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T? {
    try? await thread.runIfActive(body)
  }

  /// Writes what is waiting and ends the thread.
  func close() async {
    // Work is done in order: when this is done, everything before it is.
    try? await thread.runIfActive {}
    try? await thread.shutdownGracefully()
  }
}
