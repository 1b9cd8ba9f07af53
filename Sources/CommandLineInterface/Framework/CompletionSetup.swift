import ConsulClient
import Glibc

/// Puts completion into the start files of shells, and takes it out again.
struct CompletionSetup {
  /// The program's path, as shells are to run it.
  let program: String
  let home: String

  private struct Shell {
    let file: String
    let lines: [String]
    /// Whether the file is made where it is missing: a shell that is not used needs none.
    let isCreated: Bool
  }

  private var shells: [Shell] {
    let name = program.split(separator: "/").last.map(String.init) ?? program
    return [
      Shell(file: "\(home)/.bashrc", lines: ["complete -C \(program) \(name)"], isCreated: true),
      Shell(
        file: "\(home)/.zshrc",
        lines: ["autoload -U +X bashcompinit && bashcompinit", "complete -o nospace -C \(program) \(name)"],
        isCreated: false),
      Shell(
        file: "\(home)/.config/fish/config.fish",
        lines: ["complete -f -c \(name) -a '(env COMP_LINE=(commandline -cp) \(program))'"], isCreated: false),
    ]
  }

  /// - Returns: The files that were changed.
  func install() throws -> [String] {
    try change { text, lines in
      let missing = lines.filter { !Self.lines(of: text).contains($0) }
      if missing.isEmpty { return text }
      return (text.isEmpty || text.hasSuffix("\n") ? text : text + "\n") + missing.joined(separator: "\n") + "\n"
    }
  }

  /// - Returns: The files that were changed.
  func uninstall() throws -> [String] {
    try change { text, lines in
      // Other programs may use the same way to complete.
      let own = lines.filter { $0.contains(program) }
      return Self.lines(of: text).filter { !own.contains($0) }.joined(separator: "\n")
    }
  }

  private static func lines(of text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private func change(_ edit: (String, [String]) -> String) throws -> [String] {
    var changed: [String] = []
    for shell in shells {
      let exists = access(shell.file, F_OK) == 0
      guard exists || shell.isCreated else { continue }
      let old = exists ? String(decoding: try FileReader.read(shell.file), as: UTF8.self) : ""
      let new = edit(old, shell.lines)
      if new == old { continue }
      try Self.write(new, to: shell.file)
      changed.append(shell.file)
    }
    return changed
  }

  /// Writes beside the file and puts the result in its place, so that no start file is ever half there.
  private static func write(_ text: String, to path: String) throws {
    var found = stat()
    let mode = stat(path, &found) == 0 ? found.st_mode & 0o777 : 0o644
    let temporary = path + ".consul-tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw CommandFailure("\(temporary): \(String(cString: strerror(errno)))") }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        close(descriptor)
        unlink(temporary)
        throw CommandFailure("\(temporary): \(String(cString: strerror(errno)))")
      }
      rest = rest.dropFirst(count)
    }
    close(descriptor)
    guard rename(temporary, path) == 0 else {
      throw CommandFailure("\(path): \(String(cString: strerror(errno)))")
    }
  }
}

/// `-autocomplete-install` and `-autocomplete-uninstall`.
enum CompletionCommand {
  /// The exit code; nil when the words ask for something else.
  static func run(_ words: [String], environment: Environment, console: Console) -> Int32? {
    let flags = words.prefix { $0.hasPrefix("-") }.map { $0.drop { $0 == "-" } }
    let isInstall = flags.contains("autocomplete-install")
    guard isInstall || flags.contains("autocomplete-uninstall") else { return nil }
    guard let home = environment["HOME"], !home.isEmpty else {
      console.err("Error: HOME is not set")
      return 1
    }
    let setup = CompletionSetup(program: ownPath, home: home)
    do {
      let changed = isInstall ? try setup.install() : try setup.uninstall()
      if changed.isEmpty {
        console.err(isInstall ? "Error: already installed" : "Error: not installed")
        return 1
      }
      return 0
    } catch {
      console.err("Error: \(describe(error))")
      return 1
    }
  }

  /// The path of the running program.
  private static var ownPath: String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : "consul"
  }
}
