import Consensus
import NIOConcurrencyHelpers
import NIOCore

/// The content of a snapshot while it arrives: the connection puts bytes in, the thread that stores them takes them out and
/// waits where it is faster.
final class ReceivedSnapshot: SnapshotContent, @unchecked Sendable {
  // Sendable: everything that changes is used with the lock held.

  /// How much may wait for the thread that stores it.
  static let queuedBytesMax = 1 << 20

  private let hasNews: ConditionLock<Bool>
  private var pieces: [ByteBuffer] = []
  private var first = 0
  private var queued = 0
  private var missing: Int64
  /// Nobody reads any more: the rest is thrown away.
  private var isDrained = false
  /// Asks the connection to go on reading.
  private let resume: @Sendable () -> Void

  init(size: Int64, resume: @escaping @Sendable () -> Void) {
    missing = max(size, 0)
    self.resume = resume
    hasNews = ConditionLock(value: size <= 0)
  }

  /// Whether the connection is to wait before it reads on.
  func add(_ bytes: ByteBuffer) -> Bool {
    hasNews.lock()
    if !isDrained {
      pieces.append(bytes)
      queued += bytes.readableBytes
    }
    let isFull = queued > Self.queuedBytesMax
    hasNews.unlock(withValue: true)
    return isFull
  }

  /// The connection is gone, or the receiver wants no more.
  func stop() {
    hasNews.lock()
    isDrained = true
    pieces = []
    queued = 0
    hasNews.unlock(withValue: true)
    resume()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    hasNews.lock(whenValue: true)
    if missing == 0 || first == pieces.count {
      let isCutOff = missing > 0
      hasNews.unlock(withValue: true)
      if isCutOff { throw StateMachineError("the snapshot is cut off: \(missing) bytes are missing") }
      return 0
    }
    let count = min(buffer.count, pieces[first].readableBytes)
    pieces[first].readWithUnsafeReadableBytes { source in
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[0..<count]))
      return count
    }
    if pieces[first].readableBytes == 0 { first += 1 }
    if first == pieces.count {
      pieces = []
      first = 0
    }
    let wasFull = queued > Self.queuedBytesMax
    queued -= count
    missing -= Int64(count)
    let isFull = queued > Self.queuedBytesMax
    let canReadOn = !pieces.isEmpty || missing == 0 || isDrained
    hasNews.unlock(withValue: canReadOn)
    if wasFull, !isFull { resume() }
    return count
  }
}
