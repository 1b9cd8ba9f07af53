/// The name of a role or user of AWS: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
struct AWSResourceName: Sendable, Equatable {
  var partition: String
  var service: String
  var account: String
  /// `role`, `user`, `assumed-role`
  var kind: String
  /// Between slashes; "" without one.
  var path: String
  var name: String
  /// The session of an assumed role.
  var session = ""

  init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 6, parts[0] == "arn", !parts[1].isEmpty, ["iam", "sts"].contains(parts[2]),
      parts[3].isEmpty, !parts[4].isEmpty
    else { return nil }
    (partition, service, account) = (parts[1], parts[2], parts[4])
    let resource = parts[5].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard resource.count >= 2, let last = resource.last, !last.isEmpty else { return nil }
    kind = resource[0]
    switch kind {
    case "assumed-role":
      guard resource.count == 3 else { return nil }
      (path, name, session) = ("", resource[1], last)
    case "role", "user":
      path = resource[1..<resource.count - 1].joined(separator: "/")
      name = last
    default: return nil
    }
  }

  /// The role or user itself, without its path: what `sts:GetCallerIdentity` tells.
  var canonical: String { "arn:\(partition):iam::\(account):\(kind == "assumed-role" ? "role" : kind)/\(name)" }
}
