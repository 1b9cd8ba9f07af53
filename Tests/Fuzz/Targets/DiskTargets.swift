import Glibc
import Model

@testable import Consensus
@testable import State
@testable import Wire

/// Snapshots as clients send them. The first byte tells what the rest is: a whole archive; its content, which is then
/// compressed, so that changes come further than its checksum; or a state alone.
struct ArchiveTarget: FuzzTarget {
  let name = "archive"
  let tokens = ["meta.json", "state.bin", "SHA256SUMS", "ustar", "0000644", "\"Version\":", "\"Size\":"]

  var corpus: [[UInt8]] {
    guard let state = try? Self.state(), let archive = try? Self.archive(state),
      let content = try? Self.content(archive)
    else { return [] }
    return [[0] + archive, [1] + content, [2] + state]
  }

  private static func state() throws -> [UInt8] {
    var bytes: [UInt8] = []
    try Fixture.store().current.write { bytes += $0 }
    return bytes
  }

  private static func archive(_ state: [UInt8]) throws -> [UInt8] {
    var rest = state[...]
    let metadata = SnapshotArchiveMetadata(
      index: 9, term: 2, servers: [.init(id: "a", address: "a:1", isVoter: true)], configurationIndex: 1,
      size: Int64(state.count), milliseconds: 7)
    let writer = try SnapshotArchiveWriter(metadata, modified: 1) { buffer in
      let piece = rest.prefix(buffer.count)
      buffer.copyBytes(from: piece)
      rest = rest.dropFirst(piece.count)
      return piece.count
    }
    var archive: [UInt8] = []
    while let piece = try writer.next() { archive += piece }
    return archive
  }

  private static func content(_ archive: [UInt8]) throws -> [UInt8] {
    var content: [UInt8] = []
    let decompressor = try GzipDecompressor()
    try archive.withUnsafeBytes { try decompressor.decompress($0) { content += $0 } }
    return content
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    guard let kind = input.first else { return .refused("empty") }
    do {
      switch kind % 3 {
      case 0: return try read(Array(input.dropFirst()))
      case 1:
        var archive: [UInt8] = []
        let compressor = try GzipCompressor()
        try compressor.compress(Array(input.dropFirst()), into: &archive)
        try compressor.finish(into: &archive)
        return try read(archive)
      default: return try restore(Array(input.dropFirst()))
      }
    } catch {
      return .refused(by: error)
    }
  }

  /// In two pieces: nothing may depend on where the network cuts.
  private func read(_ archive: [UInt8]) throws -> Outcome {
    var size = 0
    let reader = try SnapshotArchiveReader { size += $0.count }
    try archive.withUnsafeBytes { bytes in
      try reader.consume(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 3)]))
      try reader.consume(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count / 3)...]))
    }
    let metadata = try reader.finish()
    return .accepted("archive \(metadata.configuration.servers.count) \(size > 0)")
  }

  private func restore(_ state: [UInt8]) throws -> Outcome {
    let store = StateStore()
    var rest = state[...]
    try store.restore { buffer in
      let piece = rest.prefix(buffer.count)
      buffer.copyBytes(from: piece)
      rest = rest.dropFirst(piece.count)
      return piece.count
    }
    return .accepted("state \(store.current.nodes().value.count) \(store.current.services().value.count)")
  }
}

/// The log on disk as a start finds it: read as far as it is whole, or refused, and never changed into something else.
struct LogTarget: FuzzTarget {
  let name = "log"
  private let folder: String

  init() {
    // In memory, where the system has such a place.
    let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    folder = "\(base)/proconsul-fuzz-\(getpid())"
  }

  private static let options = FileLog.Options(firstSegmentBytes: 12 << 10, segmentBytes: 12 << 10, seed: 3) { $0() }

  private func clear() {
    for name in (try? FileSystemDisk().list(folder)) ?? [] { unlink("\(folder)/\(name)") }
  }

  var corpus: [[UInt8]] {
    [(3, 40), (12, 700), (1, 0)].compactMap { count, size in
      clear()
      defer { clear() }
      guard let log = try? FileLog(disk: FileSystemDisk(), directory: folder, options: Self.options) else { return nil }
      for index in 1...LogIndex(count) {
        let entry = LogEntry(index: index, term: 1, kind: .command, data: [UInt8](repeating: UInt8(index), count: size))
        try? log.write(LogBatch([.append([entry])]))
      }
      log.close()
      guard let name = try? FileSystemDisk().list(folder).min() else { return nil }
      return Self.read("\(folder)/\(name)")
    }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    clear()
    defer { clear() }
    mkdir(folder, 0o700)
    Self.write(input, to: "\(folder)/" + LogSegment.name(sequence: 1))
    do {
      let log = try FileLog(disk: FileSystemDisk(), directory: folder, options: Self.options)
      defer { log.close() }
      let found = log.recovered()
      let entries =
        found.isEmpty ? [] : try log.entries(first: found.baseIndex + 1, last: found.lastIndex, bytesMax: .max)
      if !found.isEmpty, entries.map(\.index) != Array(found.baseIndex + 1...found.lastIndex) {
        throw BrokenPromise(what: "the log has holes: \(entries.map(\.index))")
      }
      return .accepted("\(entries.count)")
    } catch let error as BrokenPromise {
      throw error
    } catch {
      return .refused(by: error)
    }
  }

  private static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
  }

  private static func write(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "w") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }
}
