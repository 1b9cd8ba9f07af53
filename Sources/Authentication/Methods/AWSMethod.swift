import Model

/// The type `aws-iam`: the bearer presents a request to AWS that it signed; AWS is asked with it who that is.
public struct AWSMethod: Sendable {
  let boundNames: [String]
  let asksForDetails: Bool
  let tags: [String]
  let serverID: String
  let retries: Int
  /// Where requests go instead of where they say; "" for AWS itself.
  let stsEndpoint: String
  let iamEndpoint: String
  let allowedHeaders: [String]

  public init(_ settings: DynamicMap) throws(AuthenticationError) {
    var reader = SettingsReader(settings)
    boundNames = reader.strings("BoundIAMPrincipalARNs")
    asksForDetails = reader.bool("EnableIAMEntityDetails")
    tags = reader.strings("IAMEntityTags")
    serverID = reader.string("ServerIDHeaderValue")
    retries = Int(clamping: min(max(reader.int("MaxRetries"), 0), 10))
    iamEndpoint = reader.string("IAMEndpoint")
    stsEndpoint = reader.string("STSEndpoint")
    allowedHeaders = reader.strings("AllowedSTSHeaderValues").map { $0.lowercased() }
    try reader.finish()

    if boundNames.isEmpty { throw .setting("BoundIAMPrincipalARNs is required and must have at least 1 entry") }
    for name in boundNames {
      if name.hasSuffix("*"), name != "*", !asksForDetails {
        throw .setting("Must set EnableIAMEntityDetails=true to use wildcards in BoundIAMPrincipalARNs")
      }
      guard Self.isPrincipal(name) else { throw .setting("Invalid principal ARN: \(name.goQuoted)") }
    }
    if !tags.isEmpty, !asksForDetails { throw .setting("Must set EnableIAMEntityDetails=true to use IAMUserTags") }
    var seen: Set<String> = []
    for tag in tags where !seen.insert(tag.lowercased()).inserted {
      throw .setting("duplicate tag in IAMEntityTags: \(tag)")
    }
  }

  /// A role or user, perhaps with a `*` at the end.
  private static func isPrincipal(_ text: String) -> Bool {
    guard text.hasSuffix("*") else {
      return AWSResourceName(text).map { $0.service == "iam" && $0.kind != "assumed-role" } ?? false
    }
    let parts = text.dropLast().split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0] == "arn", parts[2] == "iam", !parts[4].isEmpty else { return false }
    return !parts[5].contains("*")
      && (parts[5].isEmpty || ["role", "user"].contains(parts[5].split(separator: "/").first ?? ""))
  }

  var template: AWSAttributes {
    var attributes = AWSAttributes()
    if asksForDetails { attributes.path = "" }
    for tag in tags { attributes.tags[tag] = "" }
    return attributes
  }

  func identify(_ bearerToken: String) -> Progress<Identity> {
    .attempt { () throws(AuthenticationError) in
      let bearer = try AWSBearerToken(bearerToken, self)
      return ask(bearer.identityRequest).then { [self] (answer) throws(AuthenticationError) in
        try identified(try AWSCaller(xml: answer), bearer)
      }
    }
  }

  private func identified(_ caller: AWSCaller, _ bearer: AWSBearerToken) throws(AuthenticationError) -> Progress<
    Identity
  > {
    guard let entityRequest = bearer.entityRequest, asksForDetails else {
      if asksForDetails {
        throw .claim("missing signed iam:GetRole or iam:GetUser request; log in with -aws-include-entity")
      }
      guard boundNames.contains(caller.name.canonical) else { throw Self.refusal(caller.name.canonical) }
      return .done(.aws(attributes(caller, nil)))
    }
    return ask(entityRequest).map { [self] (answer) throws(AuthenticationError) in
      let entity = try AWSEntity(xml: answer)
      // Anybody may ask about anybody: only the id proves that it is about the caller.
      guard entity.id == caller.id else { throw .claim("unique id mismatch in login token") }
      guard boundNames.contains(where: { Self.fits(entity.arn, $0) }) else { throw Self.refusal(entity.arn) }
      return .aws(attributes(caller, entity))
    }
  }

  private static func fits(_ name: String, _ pattern: String) -> Bool {
    pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
  }

  private static func refusal(_ name: String) -> AuthenticationError {
    .claim("IAM principal \(name) does not match any BoundIAMPrincipalARNs")
  }

  private func attributes(_ caller: AWSCaller, _ entity: AWSEntity?) -> AWSAttributes {
    var attributes = template
    attributes.name = caller.name.name
    attributes.id = caller.id
    attributes.accountID = caller.name.account
    if let entity {
      attributes.path = entity.path
      for tag in tags { attributes.tags[tag] = entity.tags[tag] ?? "" }
    }
    return attributes
  }

  /// Sends a signed request; what may work the next time is tried again.
  private func ask(_ request: OutboundRequest, attempt: Int = 0) -> Progress<[UInt8]> {
    .ask(request) { [self] result in
      switch result {
      case .success(let response) where response.status == 200: .done(response.body)
      case .success(let response) where response.status >= 500 && attempt < retries:
        ask(request, attempt: attempt + 1)
      case .success(let response):
        .failed(
          .provider("error making upstream request: received error code \(response.status) from upstream service"))
      case .failure where attempt < retries: ask(request, attempt: attempt + 1)
      case .failure(let failure): .failed(.provider("error making upstream request: \(request.failure(failure))"))
      }
    }
  }
}
