import ConsulClient
import Model

extension ACLCommands {
  private static let explainAccessor = Flag.string(
    "accessor-id", "The token, by its accessor; anonymous is one, too. Without it, the token of the command.")
  private static let explainRequest = Flag.string("request", "A request instead of a right: \"PUT /v1/kv/app/port\".")

  /// `consul acl explain`: which rule decides, and what would change it.
  static var explain: Command {
    Command(
      usage: "Usage: consul acl explain [options] [RESOURCE ACCESS [NAME]]",
      about: """
        Says whether a token may do something, which rule of which policy decides it, and the least rule that would turn
        the decision round.

            $ consul acl explain -accessor-id 986193 key write app/port
            $ consul acl explain -request "PUT /v1/kv/app/port"
        """,
      clientFlags: ClientFlags.query, flags: [ACLFormat.flag.any, explainAccessor.any, explainRequest.any]
    ) { invocation in
      let format = try ACLFormat(invocation)
      let words = invocation.arguments
      let request = invocation[explainRequest]
      guard request.isEmpty ? (2...3).contains(words.count) : words.isEmpty else {
        throw CommandFailure("Must specify either -request, or a resource and an access", showsHelp: true)
      }
      var question = DynamicObject()
      if !invocation[explainAccessor].isEmpty {
        question["AccessorID"] = .string(try await ACLLookup.accessor(invocation[explainAccessor], invocation))
      }
      if request.isEmpty {
        question["Resource"] = .string(words[0])
        question["Access"] = .string(words[1])
        question["Segment"] = .string(words.count > 2 ? words[2] : "")
      } else {
        question["Request"] = .string(request)
      }
      let client = try invocation.client()
      let answer = try await explaining("Failed to explain") { [question] in
        try await client.perform(APIRequest("POST", "/v1/acl/explain", body: Array(Dynamic.object(question).json.utf8)))
          .json()
      }
      format.print(answer, text(answer), invocation.console)
      return answer["Allow"]?.bool == true ? 0 : 2
    }
  }

  private static func text(_ answer: Dynamic) -> String {
    func text(_ value: Dynamic, _ name: String) -> String { value[name]?.string ?? "" }
    var lines = ["Token:     \(text(answer, "AccessorID"))"]
    for check in answer["Checks"]?.array ?? [] {
      let name = text(check, "Segment")
      lines += [
        "",
        "Right:     \(text(check, "Resource")):\(text(check, "Access"))"
          + (name.isEmpty ? "" : " on \(name.goQuoted)"),
        "Decision:  \(check["Allow"]?.bool == true ? "allowed" : "denied")",
      ]
      if text(check, "DecidedBy") == "rule" {
        let rule = "\(text(check, "Rule")) \(text(check, "RuleSegment").goQuoted) \(text(check, "RulePolicy"))"
        let place = "line \(check["Line"]?.int ?? 0) of policy \(text(check, "PolicyName").goQuoted)"
        lines.append("Because:   \(rule), \(place)")
      } else {
        lines.append("Because:   no rule speaks of it; default_policy is \(text(answer, "DefaultPolicy"))")
      }
      lines.append("To change: \(text(check, "Remedy"))")
    }
    return lines.joined(separator: "\n")
  }
}
