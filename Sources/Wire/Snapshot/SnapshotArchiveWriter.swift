import Crypto
import Model

/// Makes an archive of a state, piece by piece: a compressed tar of `meta.json`, `state.bin` and their hashes
/// (wire/snapshot.md, "Archive"). Nothing is held in memory but one piece.
public final class SnapshotArchiveWriter {
  /// Reads the next bytes of the state into a buffer and returns their number.
  public typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int

  private enum Stage { case metadata, state, hashes, done }

  private static let pieceSize = 64 << 10

  private let metadata: [UInt8]
  private let size: Int64
  private let modified: Int64
  private let source: Source
  private let compressor: GzipCompressor
  private var stage = Stage.metadata
  private var written: Int64 = 0
  private var hash = SHA256()

  /// - Parameters:
  ///   - metadata: its `size` is that of the state, exactly.
  ///   - modified: what the members have as their time, in seconds since 1970.
  public init(_ metadata: SnapshotArchiveMetadata, modified: Int64, state: @escaping Source) throws(SnapshotArchiveError)
  {
    self.metadata = Array((metadata.json + "\n").utf8)
    size = metadata.size
    self.modified = modified
    source = state
    compressor = try GzipCompressor()
  }

  /// The next bytes of the archive; nil behind its end.
  ///
  /// - Throws: `SnapshotArchiveError`; the archive is of no use then.
  public func next() throws(SnapshotArchiveError) -> [UInt8]? {
    var out: [UInt8] = []
    while out.isEmpty {
      switch stage {
      case .metadata:
        try compressor.compress(member(SnapshotMember.metadata, metadata) + header(SnapshotMember.state, size), into: &out)
        stage = .state
      case .state: try writeState(into: &out)
      case .hashes:
        let list =
          Self.line(SHA256.hash(data: metadata), SnapshotMember.metadata)
          + Self.line(hash.finalize(), SnapshotMember.state)
        let end = [UInt8](repeating: 0, count: 2 * TarHeader.blockSize)
        try compressor.compress(member(SnapshotMember.hashes, Array(list.utf8)) + end, into: &out)
        try compressor.finish(into: &out)
        stage = .done
      case .done: return nil
      }
    }
    return out
  }

  private func writeState(into out: inout [UInt8]) throws(SnapshotArchiveError) {
    guard written < size else {
      let padding = TarHeader.padding(after: UInt64(clamping: size))
      try compressor.compress([UInt8](repeating: 0, count: padding), into: &out)
      stage = .hashes
      return
    }
    let wanted = Int(min(size - written, Int64(Self.pieceSize)))
    var failure: SnapshotArchiveError?
    let piece = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
      do {
        let read = try source(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<wanted]))
        count = min(max(read, 0), wanted)
      } catch {
        failure = .content("\(error)")
      }
    }
    if let failure { throw failure }
    if piece.isEmpty { throw .content("the state ends after \(written) of \(size) bytes") }
    hash.update(data: piece)
    written += Int64(piece.count)
    try compressor.compress(piece, into: &out)
  }

  private func header(_ name: String, _ size: Int64) -> [UInt8] {
    TarHeader(name: name, size: UInt64(clamping: size)).encode(modified: modified)
  }

  private func member(_ name: String, _ content: [UInt8]) -> [UInt8] {
    header(name, Int64(content.count)) + content
      + [UInt8](repeating: 0, count: TarHeader.padding(after: UInt64(content.count)))
  }

  private static func line(_ hash: SHA256.Digest, _ name: String) -> String { "\(hash.hexadecimal)  \(name)\n" }
}

extension SHA256.Digest {
  var hexadecimal: String {
    var text = ""
    for byte in self {
      text += String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16)
    }
    return text
  }
}
