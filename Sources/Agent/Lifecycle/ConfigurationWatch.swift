import AgentConfiguration
import Logging

#if canImport(Glibc)
  import Glibc
#endif

/// What files looked like: changes of it mean that a reload may bring something new.
struct FileStamps: Equatable {
  private struct Stamp: Equatable {
    var inode: UInt64
    var size: Int64
    var seconds: Int64
    var nanoseconds: Int64
  }

  private var stamps: [String: Stamp] = [:]

  /// - Parameter paths: Files, and directories whose files count.
  init(_ paths: [String]) {
    for path in paths {
      add(path)
      guard let folder = opendir(path) else { continue }
      while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { add("\(path)/\(name)") }
      }
      closedir(folder)
    }
  }

  private mutating func add(_ path: String) {
    var found = stat()
    guard stat(path, &found) == 0 else { return }
    stamps[path] = Stamp(
      inode: UInt64(found.st_ino), size: Int64(found.st_size), seconds: Int64(found.st_mtim.tv_sec),
      nanoseconds: Int64(found.st_mtim.tv_nsec))
  }
}

extension Agent {
  /// How often files are looked at. A change takes effect once it was the same twice: editors write in several steps.
  private static let pollInterval = Duration.milliseconds(500)

  /// Reloads whenever configuration, certificate or key files change, until the task is cancelled.
  func reloadOnChanges() async {
    var inForce = FileStamps(watchedPaths)
    var before = inForce
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.pollInterval)
      let now = FileStamps(watchedPaths)
      defer { before = now }
      guard now != inForce, now == before, !Task.isCancelled else { continue }
      inForce = now
      logger.info("auto reload: files changed")
      do {
        try await reloadConfiguration()
      } catch {
        logger.error("the configuration was not reloaded", metadata: ["error": "\(error)"])
      }
      // The new configuration may name other files.
      inForce = FileStamps(watchedPaths)
    }
  }

  private var watchedPaths: [String] {
    let it = configuration
    let materials = [it.tls.https, it.tls.grpc, it.tls.internalRPC].flatMap { [$0.certFile, $0.keyFile] }
    return loader.withLock { $0.flags.configPaths } + materials.filter { !$0.isEmpty }
  }
}
