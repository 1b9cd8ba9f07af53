import AgentConfiguration
import HTTPAPI
import Model
import Synchronization
import Telemetry

/// The keyrings of an agent's pools, and the files that they survive a restart in.
final class KeyringStore: Sendable {
  private struct State {
    var local: Keyring
    /// Of the pool of all datacenters' servers; nil on an agent that is no server.
    var remote: Keyring?
  }

  private let state: Mutex<State>
  /// `<data_dir>/serf`; nil keeps nothing.
  private let directory: String?

  /// Keys in files win over the configured one, which they were begun with.
  ///
  /// - Throws: `AgentError.unusableFile` for a file that cannot be read or understood.
  init(_ configuration: RuntimeConfiguration, dataDirectory: String?) throws(AgentError) {
    let isKept = !configuration.encryption.disableKeyringFile
    directory = isKept ? dataDirectory.map { "\($0)/serf" } : nil
    let configured = configuration.encryption.key.isEmpty ? [] : [configuration.encryption.key]
    let local = try Self.load(directory, "local.keyring") ?? configured
    let remote = configuration.isServer ? try Self.load(directory, "remote.keyring") ?? configured : nil
    state = Mutex(State(local: Keyring(keys: local), remote: remote.map { Keyring(keys: $0) }))
    try save()
  }

  private static func load(_ directory: String?, _ name: String) throws(AgentError) -> [String]? {
    guard let directory, let text = try SmallFile.read("\(directory)/\(name)") else { return nil }
    guard case .array(let elements)? = try? Dynamic(json: Array(text.utf8)) else {
      throw .unusableFile(path: "\(directory)/\(name)", reason: "not a list of keys")
    }
    let keys = elements.compactMap(\.string)
    guard keys.count == elements.count, !keys.isEmpty, keys.allSatisfy({ GossipKey.bytes($0) != nil }) else {
      throw .unusableFile(path: "\(directory)/\(name)", reason: "not a list of keys")
    }
    return keys
  }

  private func save() throws(AgentError) {
    guard let directory else { return }
    let (local, remote) = state.withLock { ($0.local, $0.remote) }
    for (name, ring) in [("local.keyring", Optional(local)), ("remote.keyring", remote)] {
      guard let ring, !ring.keys.isEmpty else { continue }
      try DataDirectory.make(directory)
      let text = Dynamic.array(ring.keys.map { .string($0) }).json
      try SmallFile.replace("\(directory)/\(name)", with: text)
    }
  }

  /// The keys of a pool, the primary one first.
  func keys(wan: Bool) -> [[UInt8]] {
    state.withLock { (wan ? $0.remote?.keys : $0.local.keys) ?? [] }.compactMap { GossipKey.bytes($0) }
  }

  /// A pool has other keys now: they are kept for the next start.
  func changed(_ keys: [String], wan: Bool) {
    state.withLock { state in
      if wan { state.remote = Keyring(keys: keys) } else { state.local = Keyring(keys: keys) }
    }
    do throws(AgentError) {
      try save()
    } catch {
      LogOutput.logger("agent.keyring").error("the keys were not kept", metadata: ["error": "\(error)"])
    }
  }

  var isEncrypted: Bool { state.withLock { !$0.local.keys.isEmpty } }

  /// Carries an operation out on the pools, the wide one first.
  ///
  /// - Parameter node: This agent's name.
  func perform(
    _ operation: KeyringOperation, isLocalOnly: Bool, node: String, datacenter: String
  ) -> [KeyringReply] {
    let replies = state.withLock { state in
      var replies: [KeyringReply] = []
      if !isLocalOnly, var ring = state.remote {
        replies.append(Self.reply(operation, &ring, isWAN: true, node: "\(node).\(datacenter)", datacenter))
        state.remote = ring
      }
      replies.append(Self.reply(operation, &state.local, isWAN: false, node: node, datacenter))
      return replies
    }
    do throws(AgentError) {
      if operation != .list { try save() }
    } catch {
      return replies.map {
        var reply = $0
        reply.errors = reply.errors.isEmpty ? ["\(error)"] : reply.errors
        return reply
      }
    }
    return replies
  }

  private static func reply(
    _ operation: KeyringOperation, _ ring: inout Keyring, isWAN: Bool, node: String, _ datacenter: String
  ) -> KeyringReply {
    var reply = KeyringReply(isWAN: isWAN, datacenter: datacenter)
    let pool = isWAN ? "WAN" : "\(datacenter) (LAN)"
    if let key = operation.key, let problem = GossipKey.problem(key), problem.hasPrefix("illegal") {
      reply.errors = ["\(pool) error: \(problem)"]
      return reply
    }
    do throws(Keyring.Failure) {
      switch operation {
      case .list: _ = try ring.list()
      case .install(let key): try ring.install(key)
      case .use(let key): try ring.use(key)
      case .remove(let key): try ring.remove(key)
      }
      reply.keys = ring.keys
      reply.primary = ring.primary
    } catch {
      reply.errors = ["\(pool) error: 1/1 nodes reported failure", "\(node): \(error)"]
    }
    return reply
  }
}
