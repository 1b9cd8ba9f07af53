import ConsulClient
import Model

/// Export and import: entries as a list of `{"key": …, "flags": …, "value": base64}`.
extension KVCommands {
  private static let prefix = Flag.string("prefix", "Goes before each key of the data.")

  static var export: Command {
    Command(
      usage: "Usage: consul kv export [options] [PREFIX]",
      about: """
        Prints all entries below a prefix as JSON, for "consul kv import" or for safekeeping.

            $ consul kv export app/ > app.json
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy
    ) { invocation in
      try invocation.requireArguments(atMost: 1)
      let prefix = key(invocation.arguments.first)
      let kv = try invocation.client().kv
      let pairs = try await explaining("Error querying Consul agent") {
        try await kv.list(prefix: prefix, invocation.queryOptions).value
      }
      invocation.console.out(KVTransfer.text(of: pairs))
      return 0
    }
  }

  static var `import`: Command {
    Command(
      usage: "Usage: consul kv import [options] DATA",
      about: """
        Writes the entries that "consul kv export" printed. DATA is the JSON itself, "@" and the path of a file, or "-"
        for standard input.

            $ consul kv import @app.json
            $ consul kv import -prefix=copy/ - < app.json
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [prefix.any]
    ) { invocation in
      guard let argument = invocation.arguments.first, !argument.isEmpty else {
        throw CommandFailure("Error! Missing DATA argument")
      }
      guard invocation.arguments.count == 1 else {
        throw CommandFailure("Error! Too many arguments (expected 1, got \(invocation.arguments.count))")
      }
      let data: [UInt8]
      do {
        data = try invocation.data(of: argument)
      } catch {
        throw CommandFailure("Error! Failed to read file: \(error)")
      }
      let kv = try invocation.client().kv
      for pair in try KVTransfer.pairs(in: data, below: invocation[prefix]) {
        let written = try await explaining("Error! Failed writing data for key \(pair.key)") { try await kv.put(pair) }
        guard written else { throw CommandFailure("Error! Did not write to \(pair.key)") }
        invocation.console.out("Imported: \(pair.key)")
      }
      return 0
    }
  }
}

enum KVTransfer {
  static func text(of pairs: [KVPair]) -> String {
    var writer = JSONWriter()
    writer.array(pairs) { writer, pair in
      writer.beginObject()
      writer.member("key")
      writer.string(pair.key)
      writer.member("flags")
      writer.integer(pair.flags)
      writer.member("value")
      writer.string(Base64.encode(pair.value))
      writer.endObject()
    }
    return String(decoding: prettyJSON(writer.bytes, indent: "\t"), as: UTF8.self).trimmed
  }

  static func pairs(in data: [UInt8], below prefix: String) throws(CommandFailure) -> [KVPair] {
    let json: Dynamic
    do {
      json = try Dynamic(json: data)
    } catch {
      throw CommandFailure("Cannot unmarshal data: \(error)")
    }
    guard let entries = json.array else { throw CommandFailure("Cannot unmarshal data: a list of entries is expected") }
    var pairs: [KVPair] = []
    for entry in entries {
      guard let key = entry["key"]?.string else {
        throw CommandFailure("Cannot unmarshal data: entry \(pairs.count) has no key")
      }
      switch Base64.decode(entry["value"]?.string ?? "") {
      case .success(let value):
        pairs.append(KVPair(key: joined(prefix, key), value: value, flags: entry["flags"]?.uint ?? 0))
      case .failure(let error):
        throw CommandFailure("Error base 64 decoding value for key \(key): \(error)")
      }
    }
    return pairs
  }

  /// The prefix is a folder, whether or not it is written with a slash at its end.
  private static func joined(_ prefix: String, _ key: String) -> String {
    guard !prefix.isEmpty else { return key }
    return (prefix.hasSuffix("/") ? prefix : prefix + "/") + key.drop { $0 == "/" }
  }
}
