#if canImport(Glibc)
  import Glibc
#endif

/// The process's environment variables.
enum Environment {
  static subscript(name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
