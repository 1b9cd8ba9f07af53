import AgentConfiguration

#if canImport(Glibc)
  import Glibc
#endif

/// The folder in which an agent keeps what must survive a restart.
enum DataDirectory {
  /// Creates the folder when it is missing.
  ///
  /// - Returns: Its path, or nil in development mode, which keeps nothing.
  /// - Throws: `AgentError.unusableFile` when it cannot be created, read or written.
  static func prepare(_ configuration: RuntimeConfiguration) throws(AgentError) -> String? {
    let path = configuration.dataDirectory
    guard !path.isEmpty else { return nil }
    try make(path)
    guard access(path, R_OK | W_OK | X_OK) == 0 else {
      throw .unusableFile(path: path, reason: String(cString: strerror(errno)))
    }
    return path
  }

  /// Creates a folder and those above it, where they are missing.
  static func make(_ path: String) throws(AgentError) {
    var prefix = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      prefix += "/\(part)"
      if mkdir(prefix, 0o700) != 0, errno != EEXIST {
        throw .unusableFile(path: prefix, reason: String(cString: strerror(errno)))
      }
    }
  }
}
