import Model

#if canImport(Glibc)
  import Glibc
#endif

/// Who this agent is: an id that stays the same as long as the data directory does.
enum NodeIdentity {
  /// The configured id, else the one kept in `<data_dir>/node-id`, else a new one, which is kept there.
  ///
  /// - Parameter dataDirectory: Nil keeps nothing.
  /// - Throws: `AgentError.unusableFile` when the file cannot be read or written, `.invalidNodeID` for a malformed id.
  static func load(configured: String, dataDirectory: String?) throws(AgentError) -> String {
    if !configured.isEmpty {
      guard Identifier.isValid(configured) else { throw .invalidNodeID(configured) }
      if let dataDirectory { try SmallFile.replace("\(dataDirectory)/node-id", with: configured) }
      return configured.lowercased()
    }
    guard let dataDirectory else { return Identifier.random() }
    let path = "\(dataDirectory)/node-id"
    if let kept = try SmallFile.read(path) {
      let id = kept.filter { !$0.isWhitespace }.lowercased()
      guard Identifier.isValid(id) else { throw .invalidNodeID(id) }
      return id
    }
    let id = Identifier.random()
    try SmallFile.replace(path, with: id)
    return id
  }

  /// The machine's name, for agents without a configured one.
  static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
