import ConsulClient
import Model

extension KVCommands {
  private static let asBase64 = Flag.bool("base64", "Show values in base64.")
  private static let detailed = Flag.bool(
    "detailed", "Show the whole entry: value, flags, indexes, and the session that holds it.")
  private static let keysOnly = Flag.bool(
    "keys", "List keys that start with the argument, without their values; each only up to the separator.")
  private static let recurse = Flag.bool("recurse", "Show all entries whose keys start with the argument.")
  private static let separator = Flag.string(
    "separator", default: "/", "Where -keys cuts keys off; an empty one shows them whole.")

  static var get: Command {
    Command(
      usage: "Usage: consul kv get [options] [KEY_OR_PREFIX]",
      about: """
        Prints the value of a key as it is. A key that does not exist is an error.

        The value of one key:

            $ consul kv get redis/config/maxconns

        All entries below a prefix, or only their keys:

            $ consul kv get -recurse redis/
            $ consul kv get -keys redis/
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [asBase64.any, detailed.any, keysOnly.any, recurse.any, separator.any]
    ) { invocation in
      try invocation.requireArguments(atMost: 1)
      let key = key(invocation.arguments.first)
      let listsKeys = invocation[keysOnly]
      guard !key.isEmpty || listsKeys || invocation[recurse] else {
        throw CommandFailure("Error! Missing KEY argument")
      }
      let kv = try invocation.client().kv
      let options = invocation.queryOptions
      let format = KVFormat(isDetailed: invocation[detailed], asBase64: invocation[asBase64])
      let output = try await explaining("Error querying Consul agent") { () async throws -> [UInt8] in
        if listsKeys {
          let separator = invocation[recurse] ? "" : invocation[separator]
          return try await kv.keys(prefix: key, separator: separator, options).value
            .flatMap { Array($0.utf8) + [KVFormat.lineBreak] }
        }
        if invocation[recurse] {
          return format.list(try await kv.list(prefix: key, options).value)
        }
        guard let pair = try await kv.get(key, options).value else { throw MissingKey() }
        return format.single(pair)
      } unless: { error in
        error is MissingKey ? CommandFailure("Error! No key exists at: \(key)") : nil
      }
      invocation.console.write(.out, output)
      return 0
    }
  }

  private struct MissingKey: Error {}
}

/// How entries are printed. Values are bytes and stay so.
struct KVFormat {
  static let lineBreak = UInt8(ascii: "\n")

  var isDetailed: Bool
  var asBase64: Bool

  /// One entry that was asked for by its key.
  func single(_ pair: KVPair) -> [UInt8] {
    isDetailed ? detailed(pair) : value(of: pair) + [Self.lineBreak]
  }

  /// Entries below a prefix: `key:value`, or blocks with an empty line between them.
  func list(_ pairs: [KVPair]) -> [UInt8] {
    guard isDetailed else {
      return pairs.flatMap { Array("\($0.key):".utf8) + value(of: $0) + [Self.lineBreak] }
    }
    return Array(pairs.map(detailed).joined(separator: [Self.lineBreak]))
  }

  private func value(of pair: KVPair) -> [UInt8] {
    asBase64 ? Array(Base64.encode(pair.value).utf8) : pair.value
  }

  private func detailed(_ pair: KVPair) -> [UInt8] {
    let rows = [
      ["CreateIndex", String(pair.createIndex)], ["Flags", String(pair.flags)], ["Key", pair.key],
      ["LockIndex", String(pair.lockIndex)], ["ModifyIndex", String(pair.modifyIndex)],
      ["Session", pair.session ?? "-"], ["Value"],
    ]
    let value = value(of: pair)
    // The value stands in its column, unless there is none.
    let gap = value.isEmpty ? "" : String(repeating: " ", count: "ModifyIndex".count + 6 - "Value".count)
    return Array((Columns.render(rows, glue: "      ") + gap).utf8) + value + [Self.lineBreak]
  }
}
