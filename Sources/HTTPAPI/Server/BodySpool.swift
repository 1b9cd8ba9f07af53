import Dispatch
import NIOCore
import Server

/// Writes the body of a request to disk as it comes in, away from the event loop. A small one stays in memory.
///
/// Used on the loop of its connection only, but for the file, which its queue writes to.
final class BodySpool {
  /// Bytes up to which a body stays in memory.
  static let memoryLimit = 64 << 10
  /// Bytes that may wait for the disk; beyond, nothing more is read from the client.
  static let waitingLimit = 4 << 20

  private let folder: String
  private let loop: any EventLoop
  private let queue = DispatchQueue(label: "request-body", qos: .utility)
  private let slot = SpoolSlot()
  private var small: ByteBuffer? = ByteBuffer()
  private var waiting = 0
  private(set) var size = 0
  private(set) var failure: String?
  /// Called on the loop whenever some of the bytes are on disk.
  var onProgress: (() -> Void)?

  init(in folder: String, on loop: any EventLoop) {
    self.folder = folder
    self.loop = loop
  }

  var isCongested: Bool { waiting > Self.waitingLimit }
  /// Whether everything that came is in its place.
  var isSettled: Bool { waiting == 0 }

  func write(_ bytes: ByteBuffer) {
    var bytes = bytes
    size += bytes.readableBytes
    guard var all = small else { return store(bytes) }
    all.writeBuffer(&bytes)
    if size <= Self.memoryLimit {
      small = all
    } else {
      small = nil
      store(all)
    }
  }

  private func store(_ bytes: ByteBuffer) {
    let count = bytes.readableBytes
    guard count > 0 else { return }
    waiting += count
    // The box is opened on the loop only.
    let owner = NIOLoopBound(self, eventLoop: loop)
    queue.async { [slot, folder, loop] in
      let problem = slot.write(bytes, in: folder)
      loop.execute { owner.value.stored(count, problem) }
    }
  }

  private func stored(_ count: Int, _ problem: String?) {
    waiting -= count
    if failure == nil { failure = problem }
    onProgress?()
  }

  /// What came, to be called once everything is in its place.
  func finish() -> SpoolFile { slot.file ?? SpoolFile(Array((small ?? ByteBuffer()).readableBytesView)) }
}

/// The file of a body: made with the first bytes.
private final class SpoolSlot: @unchecked Sendable {
  // Sendable: written on one serial queue, and read on the loop after that queue has reported its last work there.
  private(set) var file: SpoolFile?
  private var hasFailed = false

  /// Returns what went wrong.
  func write(_ bytes: ByteBuffer, in folder: String) -> String? {
    if hasFailed { return nil }
    do throws(SpoolFile.Failure) {
      let file: SpoolFile
      if let found = self.file { file = found } else { file = try SpoolFile(in: folder) }
      self.file = file
      let result = bytes.withUnsafeReadableBytes { bytes -> Result<Void, SpoolFile.Failure> in
        do throws(SpoolFile.Failure) { return .success(try file.write(bytes)) } catch { return .failure(error) }
      }
      try result.get()
      return nil
    } catch {
      hasFailed = true
      return error.description
    }
  }
}
