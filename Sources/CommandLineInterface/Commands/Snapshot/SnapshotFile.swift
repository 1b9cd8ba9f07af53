import ConsulClient
import Glibc
import Model
import Wire

/// A snapshot on the disk: an archive or, in the data directory of a server, a `state.bin` beside its `meta.json`. Read in
/// pieces, so that its size does not matter.
struct SnapshotFile {
  private let path: String

  init(_ path: String) { self.path = path }

  /// Reads the file to its end and hands the bytes of the state to `body`.
  ///
  /// - Throws: `FileError` when it cannot be opened, `SnapshotArchiveError` when it is not whole.
  func read(_ body: @escaping (UnsafeRawBufferPointer) throws -> Void) throws -> SnapshotArchiveMetadata {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if name == "state.bin" { return try readState(body) }
    let reader = try SnapshotArchiveReader(state: body)
    try forEachPiece { try reader.consume($0) }
    return try reader.finish()
  }

  private func readState(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> SnapshotArchiveMetadata {
    let json = try FileReader.read(path.dropLast("state.bin".count) + "meta.json")
    let metadata: SnapshotArchiveMetadata
    do {
      metadata = try SnapshotArchiveMetadata(json: json)
    } catch {
      throw SnapshotArchiveError.metadata("\(error)")
    }
    try forEachPiece(body)
    return metadata
  }

  private func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
    defer { close(descriptor) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError(operation: "read", path: path, code: errno) }
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// Reads the file to its end and hands every record of its state to `body`, the header first.
  func records(_ body: @escaping (SnapshotRecordReader.Element) throws -> Void) throws -> SnapshotArchiveMetadata {
    var records = SnapshotRecordReader()
    let metadata = try read { try records.consume($0, body) }
    try records.finish(body)
    return metadata
  }

  /// What went wrong, as the commands tell it.
  static func failure(_ error: any Error) -> CommandFailure {
    if let error = error as? FileError, error.operation == "open" {
      return CommandFailure("Error opening snapshot file: \(error)")
    }
    return CommandFailure("Error reading snapshot: \(describe(error))")
  }
}
