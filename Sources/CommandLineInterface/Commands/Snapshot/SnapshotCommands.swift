import ConsulClient
import Glibc
import Model
import Wire

/// `consul snapshot …`: archives of the whole state.
enum SnapshotCommands {
  static let group = CommandGroup(
    usage: "Usage: consul snapshot <subcommand> [options] [args]",
    about: """
      Saves the state of the servers to a file, looks into such a file and puts the state back: keys, catalog, prepared
      queries, sessions, access control and all else that is replicated. A snapshot shows one moment.

      With access control a management token is needed to save and to restore.

          $ consul snapshot save backup.snap
          $ consul snapshot inspect backup.snap
          $ consul snapshot decode backup.snap
          $ consul snapshot restore backup.snap

      Each subcommand explains its options with -h.
      """,
    entries: [
      .command("agent", "Saves snapshots regularly (not in this edition)") { agent },
      .command("decode", "Shows the records of a snapshot as JSON") { decode },
      .command("inspect", "Tells what a snapshot file holds") { inspect },
      .command("restore", "Puts the state of a snapshot into the servers") { restore },
      .command("save", "Saves the state of the servers") { save },
    ])

  static func file(_ invocation: Invocation) throws(CommandFailure) -> String {
    guard let file = invocation.arguments.first, !file.isEmpty else { throw CommandFailure("Missing FILE argument") }
    guard invocation.arguments.count == 1 else {
      throw CommandFailure("Too many arguments (expected 1, got \(invocation.arguments.count))")
    }
    return file
  }

  private static var agent: Command {
    Command(
      usage: "Usage: consul snapshot agent [options] [config file]",
      about: """
        A process that saves a snapshot from time to time is part of the enterprise edition only. A timer that runs
        "consul snapshot save" does the same.
        """
    ) { _ in
      throw CommandFailure(
        "\"consul snapshot agent\" is a Consul Enterprise command. Run \"consul snapshot save\" from a timer instead.")
    }
  }

  // MARK: Restoring

  private static var restore: Command {
    Command(
      usage: "Usage: consul snapshot restore [options] FILE",
      about: """
        Puts the state of a snapshot into the servers of a datacenter, in the place of the one they have. It is meant
        for new clusters after a disaster. A file that is damaged changes nothing.

            $ consul snapshot restore backup.snap
        """,
      clientFlags: ClientFlags.query
    ) { invocation in
      let file = try file(invocation)
      let archive = try await explaining("Error opening snapshot file") { try FileReader.read(file) }
      let client = try invocation.client()
      try await explaining("Error restoring snapshot") { try await client.snapshots.restore(archive) }
      invocation.console.out("Restored snapshot")
      return 0
    }
  }

  // MARK: Saving

  private static let appended = Flag.string(
    "append-filename",
    "What to add to the name of the file, before its extension: a list of version, dc, node and status.")

  private static var save: Command {
    Command(
      usage: "Usage: consul snapshot save [options] FILE",
      about: """
        Saves the state of the servers to a file and reads it back to make sure that it is whole. The leader answers;
        with -stale any server does, also while there is no leader.

            $ consul snapshot save backup.snap
            $ consul snapshot save -append-filename=dc,status backup.snap
        """,
      clientFlags: ClientFlags.query,
      flags: [appended.any]
    ) { invocation in
      var file = try file(invocation)
      let client = try invocation.client()
      if !invocation[appended].isEmpty { file = try await name(file, with: invocation[appended], client) }
      let unverified = "\(file).unverified"
      let archive = try await explaining("Error saving snapshot") {
        try await client.snapshots.save(invocation.queryOptions)
      }
      try await explaining("Error writing unverified snapshot file") {
        let output = try OutputFile(unverified)
        for try await piece in archive { try output.write(piece) }
        try output.finish()
      }
      let metadata: SnapshotArchiveMetadata
      do {
        metadata = try SnapshotFile(unverified).read { _ in }
      } catch {
        unlink(unverified)
        throw CommandFailure("Error verifying snapshot file: \(describe(error))")
      }
      guard rename(unverified, file) == 0 else {
        let error = FileError(operation: "rename", path: unverified, code: errno)
        throw CommandFailure("Error renaming \"\(unverified)\" to \"\(file)\": \(error)")
      }
      invocation.console.out("Saved and verified snapshot to index \(metadata.index)")
      return 0
    }
  }

  /// The file's name with facts about the agent before its extension.
  private static func name(_ file: String, with list: String, _ client: ConsulClient) async throws -> String {
    let wanted = Set(list.split(separator: ",").map { String($0).trimmed })
    if let unknown = wanted.subtracting(["version", "dc", "node", "status"]).sorted().first {
      throw CommandFailure("Error: \"\(unknown)\" cannot be appended to the name of the file")
    }
    let agent = try await explaining("Error querying Consul agent") { try await client.agent.describe() }
    let config = agent["Config"]
    let isLeader = agent["Stats"]?["consul"]?["leader"]?.string == "true"
    let facts = [
      ("version", config?["Version"]?.string), ("dc", config?["Datacenter"]?.string),
      ("node", config?["NodeName"]?.string), ("status", isLeader ? "leader" : "follower"),
    ]
    let suffix = facts.filter { wanted.contains($0.0) }.compactMap(\.1).map { "-\($0)" }.joined()
    let folderEnd = file.lastIndex(of: "/").map { file.index(after: $0) } ?? file.startIndex
    guard let dot = file[folderEnd...].lastIndex(of: "."), dot > folderEnd else { return file + suffix }
    return file[..<dot] + suffix + file[dot...]
  }
}

/// A new file whose bytes are on the disk when it is finished.
private final class OutputFile {
  private let path: String
  private let descriptor: Int32

  init(_ path: String) throws(FileError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
  }

  deinit { close(descriptor) }

  func write(_ bytes: [UInt8]) throws(FileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError(operation: "write", path: path, code: errno) }
      rest = rest.dropFirst(count)
    }
  }

  func finish() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError(operation: "sync", path: path, code: errno) }
  }
}
