#if canImport(Glibc)
  import Glibc
#endif

/// The pages of the program itself that this process has mapped.
///
/// Starting an agent walks through most of the program once: type descriptions, configuration, setting up libraries. The
/// system counts what was touched as memory of this process for as long as it lives, although idling needs a third of it.
enum ProgramPages {
  /// Gives the program's code and its constants back to the page cache. What is needed again is mapped again, without
  /// reading the disk while the cache holds it.
  ///
  /// Only mappings that nobody has ever written are given back: those that can be executed, and the first one. In other ones
  /// that cannot be written the loader has put addresses before it took the right to write away.
  static func release() {
    guard let maps = try? SmallFile.read("/proc/self/maps"), let program = readLink("/proc/self/exe") else { return }
    for line in maps.split(separator: "\n") where line.hasSuffix(program) {
      // `address-address permissions offset device inode path` (proc(5)), addresses in hexadecimal.
      let fields = line.split(separator: " ")
      guard fields.count > 2, fields[1] == "r-xp" || (fields[1] == "r--p" && UInt64(fields[2], radix: 16) == 0) else {
        continue
      }
      let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard bounds.count == 2, bounds[0] < bounds[1] else { continue }
      madvise(UnsafeMutableRawPointer(bitPattern: bounds[0]), Int(bounds[1] - bounds[0]), MADV_DONTNEED)
    }
  }

  private static func readLink(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let length = readlink(path, start, buffer.count)
      guard length > 0 else { return nil }
      return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
