/// Finds and reads configuration files.
struct ConfigurationFiles {
  let host: HostEnvironment
  /// Set: every file has this format, whatever its name.
  let format: ConfigurationFormat?

  private(set) var sources: [ConfigurationSource] = []
  private(set) var warnings: [String] = []

  init(host: HostEnvironment, format: ConfigurationFormat?) {
    self.host = host
    self.format = format
  }

  /// Reads a file, or the `.hcl` and `.json` files of a directory in the order of their names. Directories within it are
  /// left out.
  mutating func add(_ path: String) throws(ConfigurationError) {
    switch host.kind(path) {
    case .directory: try addDirectory(path)
    case .file, .missing: try addFile(path)
    }
  }

  private mutating func addFile(_ path: String) throws(ConfigurationError) {
    let bytes = try host.read(path)
    guard let format = format ?? ConfigurationFormat(path: path) else { throw .unknownExtension(path: path) }
    sources.append(ConfigurationSource(name: path, format: format, bytes: bytes))
  }

  private mutating func addDirectory(_ path: String) throws(ConfigurationError) {
    let names = try host.list(path).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for name in names {
      let file = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
      guard host.kind(file) == .file else { continue }
      guard let format = format ?? ConfigurationFormat(path: file) else {
        warnings.append("skipping file \(file), extension must be .hcl or .json, or config format must be set")
        continue
      }
      sources.append(ConfigurationSource(name: file, format: format, bytes: try host.read(file)))
    }
  }
}
