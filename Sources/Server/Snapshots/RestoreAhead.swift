import Consensus
import Dispatch
import State
import Synchronization

/// Makes the state of an archive while the archive is still being unpacked, and then stored by consensus: on two cores a
/// restore takes as long as the longest of the three, not their sum. What turns out to be damaged is dropped unused.
final class RestoreAhead: PreparedState, Sendable {
  fileprivate struct Progress: ~Copyable {
    /// nil once the result is there.
    var decoder: SnapshotDecoder? = SnapshotDecoder()
    var result: Result<RestoredState, any Error>?
    /// Bytes of the file that were decoded.
    var offset: Int64 = 0
  }

  /// One piece after the other, in the order in which they were written.
  private let queue = DispatchQueue(label: "restore-ahead", qos: .userInitiated)
  private let file: SpoolFile
  private let progress = Mutex(Progress())

  /// - Parameter file: empty yet; what is written to it is to be announced by `take`.
  init(_ file: SpoolFile) { self.file = file }

  /// The file has grown by so many bytes.
  func take(count: Int) { advance { [file] in try $0.decode(count, from: file) } }

  /// Everything was written.
  func end() { advance { try $0.finish() } }

  /// The state, as soon as it is complete. Blocks; not to be called before `end`.
  func state() throws -> RestoredState {
    let result = queue.sync { progress.withLock { $0.result } }
    guard let result else { throw SnapshotError.truncated(offset: 0) }
    return try result.get()
  }

  private func advance(_ step: @escaping @Sendable (inout Progress) throws -> Void) {
    queue.async { [self] in
      progress.withLock { progress in
        guard progress.result == nil else { return }
        do { try step(&progress) } catch { progress.result = .failure(error) }
      }
    }
  }
}

extension RestoreAhead.Progress {
  fileprivate mutating func decode(_ count: Int, from file: SpoolFile) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
    defer { buffer.deallocate() }
    try file.read(into: buffer, at: offset)
    offset += Int64(count)
    try decoder?.consume(UnsafeRawBufferPointer(buffer))
  }

  fileprivate mutating func finish() throws {
    if let decoder = decoder.take() { result = .success(try decoder.finish()) }
  }
}
