/// What a shell may offer behind what was typed so far.
///
/// Shells that complete with `complete -C consul consul` run the program with the line in `COMP_LINE` and take a candidate
/// per line of its output. A pure core.
struct Completion {
  let tree: CommandTree

  /// - Parameters:
  ///   - line: The whole line, with the program's name.
  ///   - point: Bytes of it before the cursor; nil for its end.
  func candidates(_ line: String, point: Int? = nil) -> [String] {
    let bytes = Array(line.utf8)
    let typed = String(decoding: bytes.prefix(max(0, min(point ?? bytes.count, bytes.count))), as: UTF8.self)
    var words = typed.split(separator: " ").map(String.init)
    let last = typed.hasSuffix(" ") || words.isEmpty ? "" : words.removeLast()
    if words.isEmpty { return [] }
    return offers(behind: Array(words.dropFirst())).filter { $0.hasPrefix(last) }.sorted()
  }

  private func offers(behind words: [String]) -> [String] {
    var entries = tree.entries
    var isRoot = true
    for word in words {
      guard let entry = entries.first(where: { $0.name == word }) else { return [] }
      switch entry.node {
      case .group(let group): entries = group.entries
      case .command(let make):
        let command = make()
        return (command.clientFlags + command.flags).map { "-\($0.name)" }
      }
      isRoot = false
    }
    return entries.map(\.name) + (isRoot ? ["-autocomplete-install", "-autocomplete-uninstall", "--version"] : [])
  }
}
