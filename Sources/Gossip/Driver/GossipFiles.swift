import Logging
import NIOPosix

/// Writes what a pool wants to remember, in order, on a thread of its own.
final class GossipFiles: Sendable {
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let snapshot: SnapshotFile?
  private let keep: (@Sendable ([String]) -> Void)?
  private let logger: Logger

  init(snapshotPath: String?, keepKeys: (@Sendable ([String]) -> Void)?, logger: Logger) {
    snapshot = snapshotPath.map { SnapshotFile($0) }
    keep = keepKeys
    self.logger = logger
    thread.start()
  }

  func keepKeys(_ texts: [String]) {
    guard let keep else { return }
    thread.submit { if case .active = $0 { keep(texts) } }
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
