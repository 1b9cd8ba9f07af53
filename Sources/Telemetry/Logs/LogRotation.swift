/// When a log file ends and which of its predecessors go. Times are in nanoseconds since 1970, sizes in bytes.
public struct LogRotation: Sendable, Equatable {
  /// Files are not let grow beyond; 0 for any size (`log_rotate_bytes`).
  public var sizeLimit: Int
  /// Files are not written for longer (`log_rotate_duration`).
  public var ageLimit: Int64
  /// Finished files that are kept: 0 all, negative none (`log_rotate_max_files`).
  public var keptFiles: Int

  private static let day: Int64 = 86_400_000_000_000

  /// - Parameter ageLimit: 0 for a day.
  public init(sizeLimit: Int = 0, ageLimit: Int64 = 0, keptFiles: Int = 0) {
    self.sizeLimit = sizeLimit
    self.ageLimit = ageLimit > 0 ? ageLimit : Self.day
    self.keptFiles = keptFiles
  }

  func isOver(size: Int, start: Int64, now: Int64) -> Bool {
    (sizeLimit > 0 && size >= sizeLimit) || now &- start >= ageLimit
  }

  /// The finished files that are to be removed.
  ///
  /// - Parameter finished: Oldest first.
  func obsolete(_ finished: [String]) -> [String] {
    if keptFiles == 0 { return [] }
    return Array(finished.dropLast(max(keptFiles, 0)))
  }
}

/// How the files of a log are called: `consul-1700000000000000000.log` for `consul.log`.
struct LogFileNames: Equatable {
  let directory: String
  private let stem: String
  private let suffix: String

  /// - Parameter path: As configured (`log_file`). One that ends with a slash is the directory alone; names without an
  ///   extension get `.log`.
  init(_ path: String) {
    let slash = path.lastIndex(of: "/")
    directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    var name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    if name.isEmpty { name = "consul" }
    let dot = name.lastIndex(of: ".")
    stem = dot.map { String(name[..<$0]) } ?? name
    suffix = dot.map { String(name[$0...]) } ?? ".log"
  }

  func path(start: Int64) -> String { (directory == "/" ? "" : directory) + "/\(stem)-\(start)\(suffix)" }

  /// Those of `names` that are files of this log, oldest first.
  func ours(_ names: [String]) -> [String] {
    names.compactMap { name -> (Int64, String)? in
      guard name.hasPrefix(stem + "-"), name.hasSuffix(suffix), name.utf8.count > stem.utf8.count + suffix.utf8.count
      else { return nil }
      let middle = name.dropFirst(stem.count + 1).dropLast(suffix.count)
      return Int64(middle).map { ($0, name) }
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }
}
