/// A compressed tar (RFC 1952, ustar) of files that are in memory.
public enum FileArchive {
  /// - Parameters:
  ///   - files: Names, with slashes between folders and at most 100 bytes long, and contents.
  ///   - modified: The time that all of them get, in seconds since 1970.
  public static func make(
    _ files: [(name: String, content: [UInt8])], modified: Int64
  ) throws(SnapshotArchiveError) -> [UInt8] {
    let compressor = try GzipCompressor()
    var archive: [UInt8] = []
    for (name, content) in files {
      let size = UInt64(content.count)
      try compressor.compress(TarHeader(name: name, size: size).encode(modified: modified), into: &archive)
      try compressor.compress(content, into: &archive)
      try compressor.compress([UInt8](repeating: 0, count: TarHeader.padding(after: size)), into: &archive)
    }
    try compressor.compress([UInt8](repeating: 0, count: 2 * TarHeader.blockSize), into: &archive)
    try compressor.finish(into: &archive)
    return archive
  }
}
