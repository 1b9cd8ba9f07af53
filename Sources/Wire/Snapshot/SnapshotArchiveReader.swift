import Crypto
import Model

/// Takes an archive apart that comes in pieces of any size. The state goes on to a sink as it comes; whether it was right is
/// known only at the end, because hashes are last: nobody may use it before `finish`.
public final class SnapshotArchiveReader {
  public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  /// Bytes that members other than the state may have.
  private static let smallLimit: UInt64 = 1 << 20
  /// Bytes that a state may have: more than any cluster holds, less than a disk.
  private static let stateLimit: UInt64 = 1 << 40

  private enum Place {
    /// Within a header; so much of it came.
    case header([UInt8])
    case content(TarHeader, left: UInt64)
    case padding(left: Int)
    /// Behind the block of zeros.
    case end
  }

  private let sink: Sink
  private let decompressor: GzipDecompressor
  private var place = Place.header([])
  private var hasInput = false
  private var small: [String: [UInt8]] = [:]
  private var stateHash: SHA256?
  private var stateSize: UInt64 = 0
  /// What attributes said of the next member's size.
  private var announcedSize: UInt64?

  public init(state sink: @escaping Sink) throws(SnapshotArchiveError) {
    self.sink = sink
    decompressor = try GzipDecompressor()
  }

  /// Takes the next bytes of the archive.
  public func consume(_ bytes: UnsafeRawBufferPointer) throws(SnapshotArchiveError) {
    if !bytes.isEmpty { hasInput = true }
    try decompressor.decompress(bytes) { (piece) throws(SnapshotArchiveError) in
      var rest = piece
      while !rest.isEmpty {
        let used = try self.take(rest)
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(used))
      }
    }
  }

  /// Ends the archive.
  ///
  /// - Throws: `SnapshotArchiveError` if anything is missing or is not what was saved.
  public func finish() throws(SnapshotArchiveError) -> SnapshotArchiveMetadata {
    if !hasInput { throw .empty }
    guard decompressor.isFinished else {
      throw .compression(
        small[SnapshotMember.metadata] == nil ? "failed to read snapshot metadata: unexpected EOF" : "unexpected EOF")
    }
    switch place {
    case .end, .header([]): break
    default: throw .structure("unexpected EOF")
    }
    guard let json = small[SnapshotMember.metadata] else { throw .structure("the archive has no metadata") }
    try checkHashes(json)
    let metadata: SnapshotArchiveMetadata
    do {
      metadata = try SnapshotArchiveMetadata(json: json)
    } catch {
      throw .metadata("\(error)")
    }
    guard (0...1).contains(metadata.version) else {
      throw .metadata("unsupported snapshot version \(metadata.version)")
    }
    guard metadata.size >= 0, UInt64(metadata.size) == stateSize else {
      throw .metadata("the state has \(stateSize) bytes, \(metadata.size) were announced")
    }
    return metadata
  }

  private func checkHashes(_ metadata: [UInt8]) throws(SnapshotArchiveError) {
    guard let hash = stateHash else { throw .structure("the archive has no state") }
    guard let list = small[SnapshotMember.hashes] else { throw .hashList("the archive has no hashes") }
    stateHash = nil
    var expected = [
      SnapshotMember.metadata: SHA256.hash(data: metadata).hexadecimal, SnapshotMember.state: hash.finalize().hexadecimal,
    ]
    for line in String(decoding: list, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: " ", omittingEmptySubsequences: true)
      guard parts.count == 2 else { throw .hashList("list of hashes is malformed") }
      let name = String(parts[1])
      guard let found = expected.removeValue(forKey: name) else {
        throw .hashList("list missing hash for \"\(name)\"")
      }
      if found != parts[0].lowercased() { throw .wrongHash(member: name) }
    }
    if let missing = expected.keys.sorted().first { throw .hashList("file missing for \"\(missing)\"") }
  }

  // MARK: The tar structure

  /// Takes bytes that belong together and returns their number, at least one.
  private func take(_ bytes: UnsafeRawBufferPointer) throws(SnapshotArchiveError) -> Int {
    switch place {
    case .header(var block):
      let count = min(TarHeader.blockSize - block.count, bytes.count)
      block += bytes.prefix(count)
      if block.count < TarHeader.blockSize {
        place = .header(block)
      } else if let header = try TarHeader(block) {
        try begin(header)
      } else {
        place = .end
      }
      return count
    case .content(let header, let left):
      let count = Int(min(left, UInt64(bytes.count)))
      try store(header, UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
      if left == UInt64(count) { try end(header) } else { place = .content(header, left: left - UInt64(count)) }
      return count
    case .padding(let left):
      let count = min(left, bytes.count)
      place = left == count ? .header([]) : .padding(left: left - count)
      return count
    case .end:
      // Archives are filled up to whole records.
      if bytes.contains(where: { $0 != 0 }) { throw .structure("there is data behind the end of the archive") }
      return bytes.count
    }
  }

  private func begin(_ header: TarHeader) throws(SnapshotArchiveError) {
    var header = header
    if case .attributes = header.kind {
      guard header.size <= Self.smallLimit else { throw .structure("archive/tar: attributes are too large") }
      small[""] = []
    } else {
      if let announcedSize { header.size = announcedSize }
      announcedSize = nil
      try check(header)
    }
    if header.size == 0 { try end(header) } else { place = .content(header, left: header.size) }
  }

  private func check(_ header: TarHeader) throws(SnapshotArchiveError) {
    guard header.kind == .file else { throw .structure("unexpected file \"\(header.name)\" in snapshot") }
    switch header.name {
    case SnapshotMember.state:
      guard stateHash == nil else { throw .structure("there are two files \"\(header.name)\" in snapshot") }
      guard header.size <= Self.stateLimit else { throw .structure("the state is too large") }
      stateHash = SHA256()
      stateSize = header.size
    case SnapshotMember.metadata, SnapshotMember.hashes:
      guard small[header.name] == nil else { throw .structure("there are two files \"\(header.name)\" in snapshot") }
      guard header.size <= Self.smallLimit else { throw .structure("the file \"\(header.name)\" is too large") }
      small[header.name] = []
    default: throw .structure("unexpected file \"\(header.name)\" in snapshot")
    }
  }

  private func store(_ header: TarHeader, _ bytes: UnsafeRawBufferPointer) throws(SnapshotArchiveError) {
    if header.kind == .file, header.name == SnapshotMember.state {
      stateHash?.update(bufferPointer: bytes)
      do { try sink(bytes) } catch { throw .content("\(error)") }
    } else {
      small[header.kind == .attributes ? "" : header.name, default: []] += bytes
    }
  }

  private func end(_ header: TarHeader) throws(SnapshotArchiveError) {
    if header.kind == .attributes { announcedSize = Self.size(inAttributes: small.removeValue(forKey: "") ?? []) }
    let padding = TarHeader.padding(after: header.size)
    place = padding == 0 ? .header([]) : .padding(left: padding)
  }

  /// The size in pax attributes: lines `<length> <key>=<value>`.
  private static func size(inAttributes bytes: [UInt8]) -> UInt64? {
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      guard let entry = line.split(separator: " ", maxSplits: 1).last, entry.hasPrefix("size=") else { continue }
      return UInt64(entry.dropFirst(5))
    }
    return nil
  }
}
