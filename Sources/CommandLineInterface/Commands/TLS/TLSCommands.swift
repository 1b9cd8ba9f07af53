import ConsulClient
import Glibc

/// `consul tls`: certificates for the agents of a cluster.
enum TLSCommands {
  static var group: CommandGroup {
    CommandGroup(
      usage: "Usage: consul tls <subcommand> <subcommand> [options]",
      about: """
        Makes a certificate authority and certificates for the TLS connections between agents, and to their HTTP API.

            $ consul tls ca create
            $ consul tls cert create -server
            $ consul tls cert create -client
        """,
      entries: [
        .group(
          "ca", "Makes a certificate authority",
          CommandGroup(
            usage: "Usage: consul tls ca <subcommand> [options]",
            about: "Works with the authority that signs the certificates of a cluster's agents.",
            entries: [.command("create", "Makes a certificate authority") { TLSAuthorityCommand.command }])),
        .group(
          "cert", "Makes certificates",
          CommandGroup(
            usage: "Usage: consul tls cert <subcommand> [options]",
            about: "Works with the certificates of a cluster's agents.",
            entries: [.command("create", "Makes a certificate") { TLSCertificateCommand.command }])),
      ])
  }

  static var now: Int64 { Int64(time(nil)) }

  /// Writes a certificate, which everybody may read, and its key, which only the user may. Nothing that exists is replaced.
  ///
  /// - Throws: `CommandFailure`
  static func save(certificate: String, to path: String, key: String, to keyPath: String, _ console: Console) throws {
    for path in [path, keyPath] where access(path, F_OK) == 0 { throw CommandFailure("\(path) already exists.") }
    try create(path, certificate, mode: 0o644)
    console.out("==> Saved \(path)")
    try create(keyPath, key, mode: 0o600)
    console.out("==> Saved \(keyPath)")
  }

  private static func create(_ path: String, _ text: String, mode: mode_t) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw failure("write", path) }
      rest = rest.dropFirst(written)
    }
  }

  private static func failure(_ operation: String, _ path: String) -> CommandFailure {
    CommandFailure(FileError(operation: operation, path: path, code: errno).description)
  }
}
