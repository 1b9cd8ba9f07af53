import ConsulClient
import Glibc
import Model

/// `consul login` and `consul logout`: to a token of the cluster with an identity from elsewhere, and away from it.
enum LoginCommand {
  private static let method = Flag.string("method", "Auth method to log in with.")
  private static let type = Flag.string("type", "Its type; needed for oidc, which logs in with the browser.")
  private static let bearerFile = Flag.string("bearer-token-file", "File with the secret that the auth method accepts.")
  private static let sinkFile = Flag.string("token-sink-file", "File that the token is written to, for its owner only.")
  private static let meta = Flag.map(
    "meta", "What the token's description is to tell of its holder; may be given several times.")
  private static let listener = Flag.string(
    "oidc-callback-listen-addr", placeholder: "address", default: "localhost:8550",
    "Where to wait for the browser, which comes to http://ADDRESS/oidc/callback. [oidc]")

  static var login: Command {
    Command(
      usage: "Usage: consul login [options]",
      about: """
        Exchanges a secret from elsewhere for a token of the cluster, which is written to a file.

            $ consul login -method cluster-1 -bearer-token-file /run/secrets/token -token-sink-file consul.token
            $ consul login -method company -type oidc -token-sink-file consul.token
            $ consul login -method roles -type aws-iam -aws-auto-bearer-token -token-sink-file consul.token
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy
        + [method.any, type.any, bearerFile.any, sinkFile.any, meta.any, listener.any] + AWSLogin.flags
    ) { invocation in
      guard invocation.arguments.isEmpty else { throw CommandFailure("Should have no non-flag arguments.") }
      for flag in [method, sinkFile] where invocation[flag].isEmpty {
        throw CommandFailure("Missing required '-\(flag.name)' flag")
      }
      try AWSLogin.check(invocation)
      let token: ACLToken
      if invocation[type] == "oidc", invocation[bearerFile].isEmpty {
        token = try await BrowserLogin.run(
          invocation, method: invocation[method], listener: invocation[listener], meta: invocation[meta])
      } else {
        let bearer = try await bearerToken(invocation)
        let client = try invocation.client()
        token = try await explaining("Error logging in") {
          try await client.acl.login(authMethod: invocation[method], bearerToken: bearer, meta: invocation[meta])
        }
      }
      try SecretFile.write(token.secretID, to: invocation[sinkFile])
      return 0
    }
  }

  private static func bearerToken(_ invocation: Invocation) async throws -> Secret {
    if AWSLogin.isWanted(invocation) { return try await AWSLogin.bearerToken(invocation) }
    let file = invocation[bearerFile]
    if file.isEmpty { throw CommandFailure("Missing required '-bearer-token-file' flag") }
    let text = try FileReader.readTrimmed(file)
    if text.isEmpty { throw CommandFailure("No bearer token found in \(file)") }
    return Secret(text)
  }

  static var logout: Command {
    Command(
      usage: "Usage: consul logout [options]",
      about: """
        Deletes the token that the command is given, if a login made it.

            $ consul logout -token-file consul.token
        """,
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy
    ) { invocation in
      guard invocation.arguments.isEmpty else { throw CommandFailure("Should have no non-flag arguments.") }
      let client = try invocation.client()
      try await explaining("Error destroying token") { try await client.acl.logout() }
      return 0
    }
  }
}

/// A file with nothing but a secret, which only its owner may read. It is there whole or not at all.
enum SecretFile {
  static func write(_ secret: Secret, to path: String) throws {
    let temporary = "\(path).tmp-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
    let bytes = Array(secret.revealed.utf8)
    let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    // A file that was there may have had other rights.
    let isDone = written == bytes.count && fchmod(descriptor, 0o600) == 0 && fsync(descriptor) == 0
    let code = errno
    close(descriptor)
    guard isDone, rename(temporary, path) == 0 else {
      unlink(temporary)
      throw FileError(operation: "write", path: path, code: isDone ? errno : code)
    }
  }
}
