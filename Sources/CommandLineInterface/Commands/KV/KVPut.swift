import ConsulClient
import Model

extension KVCommands {
  private static let acquire = Flag.bool(
    "acquire", "Lock the key for the session of -session, and write only if no other session holds it.")
  private static let isBase64 = Flag.bool("base64", "The data is base64; what it stands for is written.")
  private static let checkAndSet = Flag.bool(
    "cas", "Write only if the key was last changed at -modify-index.")
  private static let flags = Flag.uint("flags", "Number to keep with the value, of meaning to applications only.")
  private static let modifyIndex = Flag.uint(
    "modify-index", "Index for -cas; 0 writes only a key that does not exist.")
  private static let release = Flag.bool(
    "release", "Unlock the key, which the session of -session must hold, and write it.")
  private static let session = Flag.string("session", "Id of the session for -acquire and -release.")

  static var put: Command {
    Command(
      usage: "Usage: consul kv put [options] KEY [DATA]",
      about: """
        Writes data under a key, which is created if it does not exist.

            $ consul kv put redis/config/maxconns 25

        "@" and a path stand for the content of a file, "-" for standard input:

            $ consul kv put app/settings @settings.json
            $ command | consul kv put app/settings -

        Change a key only if nobody did so since index 844:

            $ consul kv put -cas -modify-index=844 redis/config/maxconns 30
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [
        acquire.any, isBase64.any, checkAndSet.any, flags.any, modifyIndex.any, release.any, session.any,
      ],
      run: runPut)
  }

  @Sendable
  private static func runPut(_ invocation: Invocation) async throws -> Int32 {
    guard let key = invocation.arguments.first else { throw CommandFailure("Error! Missing KEY argument") }
    guard invocation.arguments.count <= 2 else {
      throw CommandFailure("Error! Too many arguments (expected 1 or 2, got \(invocation.arguments.count))")
    }
    let locks = invocation[acquire] || invocation[release]
    guard !locks || !invocation[session].isEmpty else {
      throw CommandFailure("Error! Missing -session (required with -acquire and -release)")
    }
    let pair = KVPair(key: key, value: try value(invocation), flags: invocation[flags])
    let condition = condition(invocation)
    let kv = try invocation.client().kv
    let written = try await explaining("Error! Failed writing data") { try await kv.put(pair, if: condition) }
    let verdict = verdict(condition, key: key)
    guard written else { throw CommandFailure(verdict.failure) }
    invocation.console.out(verdict.success)
    return 0
  }

  private static func value(_ invocation: Invocation) throws -> [UInt8] {
    guard invocation.arguments.count > 1 else { return [] }
    let data: [UInt8]
    do {
      data = try invocation.data(of: invocation.arguments[1])
    } catch {
      throw CommandFailure("Error! Failed to read file: \(error)")
    }
    guard invocation[isBase64] else { return data }
    switch Base64.decode(String(decoding: data, as: UTF8.self)) {
    case .success(let decoded): return decoded
    case .failure(let error): throw CommandFailure("Error! Cannot base 64 decode data: \(error)")
    }
  }

  private static func condition(_ invocation: Invocation) -> KeyValueStore.Condition {
    if invocation[checkAndSet] { return .index(invocation[modifyIndex]) }
    if invocation[acquire] { return .acquire(session: invocation[session]) }
    if invocation[release] { return .release(session: invocation[session]) }
    return .none
  }

  private static func verdict(_ condition: KeyValueStore.Condition, key: String) -> (success: String, failure: String) {
    let written = "Success! Data written to: \(key)"
    return switch condition {
    case .none: (written, "Error! Did not write to \(key)")
    case .index(0): (written, "Error! Did not write to \(key): CAS performed with index=0 and key already exists.")
    case .index: (written, "Error! Did not write to \(key): CAS failed")
    case .acquire: ("Success! Lock acquired on: \(key)", "Error! Did not acquire lock")
    case .release: ("Success! Lock released on: \(key)", "Error! Did not release lock")
    }
  }
}
