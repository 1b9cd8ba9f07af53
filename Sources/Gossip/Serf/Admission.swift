import Model

/// Who may be in the pools of agents (wire/gossip.md, section 10). Texts are the reference's.
public enum Admission {
  /// The pool of one datacenter: everybody in it says that it belongs to it, and no node id occurs twice.
  public static func agents(
    name: String, nodeID: String, datacenter: String
  ) -> @Sendable ([Member]) -> String? {
    { members in
      var names: [String: String] = [:]
      for member in members {
        if let problem = form(member) { return problem }
        let id = member.tags["id"] ?? ""
        if !id.isEmpty, member.status != .left {
          if id == nodeID, !member.name.isSameName(as: name) {
            return "Member '\(member.name)' has conflicting node ID '\(id)' with this agent's ID"
          }
          if let other = names.updateValue(member.name, forKey: id), other != member.name {
            return "Member '\(member.name)' has conflicting node ID '\(id)' with member '\(other)'"
          }
        }
        let isAgent = ["consul", "node"].contains(member.tags["role"] ?? "")
        if isAgent, let found = member.tags["dc"], found != datacenter {
          return "Member '\(member.name)' part of wrong datacenter '\(found)'"
        }
      }
      return nil
    }
  }

  /// The pool of all servers.
  public static func servers(
    isServer: @escaping @Sendable (Member) -> Bool
  ) -> @Sendable ([Member]) -> String? {
    { members in
      for member in members {
        if let problem = form(member) { return problem }
        if !isServer(member) { return "Member '\(member.name)' is not a server" }
      }
      return nil
    }
  }

  private static func form(_ member: Member) -> String? {
    member.metaCount > Tags.countMaximum
      ? "Member '\(member.name)' has tags of \(member.metaCount) bytes, more than \(Tags.countMaximum)" : nil
  }
}
