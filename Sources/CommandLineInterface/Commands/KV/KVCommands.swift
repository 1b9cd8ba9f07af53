/// `consul kv …`: the key-value store.
enum KVCommands {
  static let group = CommandGroup(
    usage: "Usage: consul kv <subcommand> [options] [args]",
    about: """
      Reads, writes and lists entries of the key-value store.

      Write the entry "redis/config/maxconns", read it, and remove it again:

          $ consul kv put redis/config/maxconns 25
          $ consul kv get redis/config/maxconns
          $ consul kv delete redis/config/maxconns

      Show an entry with its indexes, flags and lock:

          $ consul kv get -detailed redis/config/maxconns

      Each subcommand explains its options with -h.
      """,
    entries: [
      .command("delete", "Removes entries from the KV store") { delete },
      .command("export", "Writes a tree of the KV store as JSON") { export },
      .command("get", "Reads or lists entries of the KV store") { get },
      .command("import", "Reads a tree from JSON into the KV store") { `import` },
      .command("put", "Writes an entry of the KV store") { put },
    ])

  /// Keys do not start with a slash; one that was typed is not meant.
  static func key(_ argument: String?) -> String {
    String((argument ?? "").drop { $0 == "/" })
  }
}
