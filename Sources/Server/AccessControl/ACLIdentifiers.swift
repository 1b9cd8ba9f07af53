import Model

/// Ids of tokens, policies, roles and rules.
public enum ACLIdentifiers {
  /// Ids that begin so belong to what every cluster has.
  static let reservedPrefix = "00000000-0000-0000-0000-0000000000"

  /// Why nothing can have this id, in the words of the reference's table of that kind; nil if something could.
  public static func problem(_ id: String, table: String) -> String? {
    PreparedQueryRules.problem(ofUUID: id).map { "failed acl \(table) lookup: index error: \($0)" }
  }

  /// Why a token cannot be made with this id.
  static func problem(_ id: String, field: String) -> String? {
    if !Identifier.isValid(id) { return "Invalid Token: \(field) - not a valid UUID" }
    if id.hasPrefix(reservedPrefix) {
      return "Invalid Token: \(field) - UUIDs with the prefix \"\(reservedPrefix)\" are reserved"
    }
    return nil
  }

  static func unused(_ isTaken: (String) -> Bool) -> String {
    var id: String
    repeat { id = Identifier.random() } while isTaken(id)
    return id
  }
}
