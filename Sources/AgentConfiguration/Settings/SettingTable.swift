import Model

/// All options of the agent, and how to find one.
public enum SettingTable {
  /// In the order of the reference page.
  public static let all: [Setting] =
    general + addresses + ports + cluster + node + logging + checks + limits + performance + dns + http + userInterface
    + accessControl + encryption + tls + automaticTLS + mesh + raft + gossip + telemetry + definitions + enterprise
    + deprecated

  /// The older names: same type as what replaces them.
  private static let deprecated: [Setting] = Deprecation.all.map(\.setting)

  /// The option of that exact path.
  public static func setting(at path: String) -> Setting? { byPath[path] }

  private static let byPath: [String: Setting] = Dictionary(all.map { ($0.path, $0) }) { first, _ in first }

  /// The options as the tree of blocks that a configuration file is.
  static let root = SettingNode(all)

  /// What holds before any source is read.
  static let defaults: SettingValues = {
    var values = SettingValues()
    for setting in all {
      if let value = setting.defaultValue { values[setting.path] = value }
    }
    return values
  }()
}

/// A level of blocks: what may stand between two braces.
final class SettingNode: Sendable {
  /// What a key stands for.
  enum Member: Sendable {
    case setting(Setting)
    case block(SettingNode)
  }

  private let members: [String: Member]
  /// The names in lower case: files may write them in any case.
  private let byFoldedName: [String: String]

  init(_ settings: [Setting]) {
    var leaves: [String: Member] = [:]
    var blocks: [String: [Setting]] = [:]
    for setting in settings {
      if let dot = setting.path.firstIndex(of: ".") {
        let rest = String(setting.path[setting.path.index(after: dot)...])
        blocks[String(setting.path[..<dot]), default: []].append(setting.moved(to: rest))
      } else {
        leaves[setting.path] = .setting(setting)
      }
    }
    for (name, inner) in blocks { leaves[name] = .block(SettingNode(inner)) }
    members = leaves
    byFoldedName = Dictionary(leaves.keys.map { ($0.lowercased(), $0) }) { first, _ in first }
  }

  /// The member that a file calls `key`, with its proper name.
  func member(_ key: String) -> (name: String, member: Member)? {
    if let member = members[key] { return (key, member) }
    guard let name = byFoldedName[key.lowercased()], let member = members[name] else { return nil }
    return (name, member)
  }
}

extension Setting {
  /// The same option seen from inside a block.
  func moved(to path: String) -> Setting {
    Setting(path, type, default: defaultValue, traits: traits, debug: debugName, meaning)
  }
}
