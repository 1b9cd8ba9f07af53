/// Why an archive cannot be used. Texts follow the reference's.
public enum SnapshotArchiveError: Error, Equatable, CustomStringConvertible {
  /// Nothing came at all.
  case empty
  /// The first bytes are not those of a gzip file.
  case notCompressed
  /// The compressed data ends too early, is damaged, or goes on behind its end.
  case compression(String)
  /// The tar structure, or a member of it.
  case structure(String)
  /// The bytes of a member are not those that were saved.
  case wrongHash(member: String)
  /// `SHA256SUMS` is not complete, or names something else.
  case hashList(String)
  case metadata(String)
  /// Where the content goes to did not take it.
  case content(String)

  public var description: String {
    switch self {
    case .empty: "failed to decompress snapshot: EOF"
    case .notCompressed: "failed to decompress snapshot: gzip: invalid header"
    case .compression(let reason), .structure(let reason): "failed to read snapshot file: \(reason)"
    case .wrongHash(let member):
      "failed to read snapshot file: failed checking integrity of snapshot: hash check failed for \"\(member)\""
    case .hashList(let reason):
      "failed to read snapshot file: failed checking integrity of snapshot: \(reason)"
    case .metadata(let reason): "failed to read snapshot file: failed to decode snapshot metadata: \(reason)"
    case .content(let reason): "failed to read or write snapshot data: \(reason)"
    }
  }
}
