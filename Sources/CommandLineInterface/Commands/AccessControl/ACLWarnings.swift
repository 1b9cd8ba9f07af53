import AccessControl

/// What a writer of rules should know although they were accepted.
enum ACLWarnings {
  static func of(_ rules: String) -> [String] { (try? PolicyRules(rules))?.warnings ?? [] }
}
