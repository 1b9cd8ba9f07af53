import ConsulClient

extension KVCommands {
  private static let checkAndSet = Flag.bool("cas", "Remove the key only if it was last changed at -modify-index.")
  private static let modifyIndex = Flag.uint("modify-index", "Index for -cas, greater than 0.")
  private static let recurse = Flag.bool("recurse", "Remove all keys that start with the argument.")

  static var delete: Command {
    Command(
      usage: "Usage: consul kv delete [options] KEY_OR_PREFIX",
      about: """
        Removes a key, or all keys below a prefix. A key that does not exist is no error.

            $ consul kv delete redis/config/maxconns
            $ consul kv delete -recurse redis/
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [checkAndSet.any, modifyIndex.any, recurse.any]
    ) { invocation in
      try invocation.requireArguments(atMost: 1)
      let key = key(invocation.arguments.first)
      let isTree = invocation[recurse]
      guard !key.isEmpty || isTree else { throw CommandFailure("Error! Missing KEY argument") }
      let condition = try condition(invocation)
      let kv = try invocation.client().kv
      if isTree {
        try await explaining("Error! Did not delete prefix \(key)") { try await kv.delete(prefix: key) }
        invocation.console.out("Success! Deleted keys with prefix: \(key)")
        return 0
      }
      let deleted = try await explaining("Error deleting key \(key)") { try await kv.delete(key, if: condition) }
      guard deleted else { throw CommandFailure("Error! Did not delete key \(key): CAS failed") }
      invocation.console.out("Success! Deleted key: \(key)")
      return 0
    }
  }

  private static func condition(_ invocation: Invocation) throws -> KeyValueStore.Condition {
    let index = invocation[modifyIndex]
    guard invocation[checkAndSet] else {
      guard index == 0 else { throw CommandFailure("Cannot specify -modify-index without -cas!") }
      return .none
    }
    guard !invocation[recurse] else { throw CommandFailure("Cannot specify both -cas and -recurse!") }
    guard index != 0 else {
      throw CommandFailure(
        "Cannot delete a key that does not exist. Provide a -modify-index greater than than 0.")
    }
    return .index(index)
  }
}
