import AgentConfiguration
import Model
import Synchronization
import Telemetry

/// The keys that an agent's pools are encrypted with, and the files that they survive a restart in. Gossip changes them.
final class KeyringStore: Sendable {
  /// In base64, the primary one first. Empty: gossip is not encrypted.
  private struct State {
    var local: [String]
    /// Of the pool of all datacenters' servers; nil on an agent that is no server.
    var remote: [String]?
  }

  private let state: Mutex<State>
  private let saving = Mutex(())
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
    state = Mutex(State(local: local, remote: remote))
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

  /// Both pools may change at the same time, each on a thread of its own: the last one writes what holds then.
  private func save() throws(AgentError) {
    try saving.withLock { _ in Result { () throws(AgentError) in try write() } }.get()
  }

  private func write() throws(AgentError) {
    guard let directory else { return }
    let (local, remote) = state.withLock { ($0.local, $0.remote) }
    for (name, ring) in [("local.keyring", Optional(local)), ("remote.keyring", remote)] {
      guard let ring, !ring.isEmpty else { continue }
      try DataDirectory.make(directory)
      let text = Dynamic.array(ring.map { .string($0) }).json
      try SmallFile.replace("\(directory)/\(name)", with: text)
    }
  }

  /// The keys of a pool, the primary one first.
  func keys(wan: Bool) -> [[UInt8]] {
    state.withLock { (wan ? $0.remote : $0.local) ?? [] }.compactMap { GossipKey.bytes($0) }
  }

  /// The key that a pool's messages are encrypted with, in base64; nil where they are not.
  func primaryKey(wan: Bool) -> String? { state.withLock { (wan ? $0.remote : $0.local)?.first } }

  /// A pool has other keys now: they are kept for the next start.
  ///
  /// - Returns: why they could not be kept; nil if they were.
  func changed(_ keys: [String], wan: Bool) -> String? {
    state.withLock { state in
      if wan { state.remote = keys } else { state.local = keys }
    }
    do throws(AgentError) {
      try save()
      return nil
    } catch {
      LogOutput.logger("agent.keyring").error("the keys were not kept", metadata: ["error": "\(error)"])
      return "Failed to write keyring file: \(error)"
    }
  }
}
