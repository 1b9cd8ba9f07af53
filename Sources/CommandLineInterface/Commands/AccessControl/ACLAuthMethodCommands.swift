import ConsulClient
import Model

/// `consul acl auth-method …`
enum ACLAuthMethodCommands {
  static let group = CommandGroup(
    usage: "Usage: consul acl auth-method <subcommand> [options] [args]",
    about: """
      Works with auth methods: who else may vouch for those who log in.

          $ consul acl auth-method create -type jwt -name ci -config @ci.json
          $ consul acl auth-method list
      """,
    entries: [
      .command("create", "Makes an auth method") { create },
      .command("delete", "Deletes an auth method, its rules and its tokens") { delete },
      .command("list", "Lists the auth methods") { list },
      .command("read", "Shows an auth method") { read },
      .command("update", "Changes an auth method") { update },
    ])

  private static let name = Flag.string("name", "Name of the auth method.")
  private static let type = Flag.string("type", "Its type: aws-iam, jwt, kubernetes or oidc.")
  private static let description = Flag.optional("description", placeholder: "string", "What it is for.")
  private static let displayName = Flag.optional(
    "display-name", placeholder: "string", "The name that people are shown instead.")
  private static let maxTokenTTL = Flag.duration("max-token-ttl", "How long the tokens of a login are valid.")
  private static let tokenLocality = Flag.optional(
    "token-locality", placeholder: "string", "Where the tokens of a login are valid: local, the default, or global.")
  private static let config = Flag.string(
    "config", "The settings of its type, as JSON; @FILE reads them from a file, - from standard input.")
  private static let kubernetesHost = Flag.string("kubernetes-host", "Address of the Kubernetes API. [kubernetes]")
  private static let kubernetesCA = Flag.string(
    "kubernetes-ca-cert", "PEM text of the authority of that API; @FILE reads it from a file. [kubernetes]")
  private static let kubernetesToken = Flag.string(
    "kubernetes-service-account-jwt", "Token that may review others at that API. [kubernetes]")
  private static let noMerge = Flag.bool(
    "no-merge", "Replace everything by what the flags say, instead of changing what is there.")

  private static let output = ClientFlags.tenancy + [ACLFormat.flag.any, ACLFormat.meta.any]
  private static let contents = [
    name.any, description.any, displayName.any, maxTokenTTL.any, tokenLocality.any, config.any, kubernetesHost.any,
    kubernetesCA.any, kubernetesToken.any,
  ]

  private static func show(_ method: ACLAuthMethod, _ invocation: Invocation) throws {
    try ACLFormat(invocation).print(
      ACLFormat.json(method), ACLAuthMethodFormat.text(method, showsMeta: invocation[ACLFormat.meta]),
      invocation.console)
  }

  /// The settings that the flags give; nil for none.
  private static func settings(_ invocation: Invocation) throws -> DynamicMap? {
    guard !invocation[config].isEmpty else { return nil }
    let bytes: [UInt8]
    do {
      bytes = try invocation.data(of: invocation[config])
    } catch {
      throw CommandFailure("Error loading configuration file: \(error)")
    }
    do throws(JSONError) {
      if case .object(let members) = try Dynamic(json: bytes) { return DynamicMap(members) }
    } catch {
      throw CommandFailure("Error parsing JSON configuration file: \(error)")
    }
    throw CommandFailure("Error parsing JSON configuration file: it is not an object")
  }

  private static func authority(_ invocation: Invocation) throws -> String {
    do {
      return String(decoding: try invocation.data(of: invocation[kubernetesCA]), as: UTF8.self)
    } catch {
      throw CommandFailure("Invalid '-kubernetes-ca-cert' value: \(error)")
    }
  }

  /// What the flags say beyond the settings.
  private static func apply(_ invocation: Invocation, to method: inout ACLAuthMethod) {
    if let text = invocation[description] { method.description = text }
    if let text = invocation[displayName] { method.displayName = text }
    if let text = invocation[tokenLocality] { method.tokenLocality = text }
    if invocation[maxTokenTTL] > .zero { method.maxTokenTTL = invocation[maxTokenTTL] }
  }

  /// The settings of the type `kubernetes`, which have flags of their own.
  private static func kubernetes(_ invocation: Invocation) throws -> DynamicMap {
    for flag in [kubernetesHost, kubernetesCA, kubernetesToken] where invocation[flag].isEmpty {
      throw CommandFailure("Missing required '-\(flag.name)' flag")
    }
    var settings = DynamicMap()
    settings["Host"] = .string(invocation[kubernetesHost])
    settings["CACert"] = .string(try authority(invocation))
    settings["ServiceAccountJWT"] = .string(invocation[kubernetesToken])
    return settings
  }

  static var create: Command {
    Command(
      usage: "Usage: consul acl auth-method create -name NAME -type TYPE [options]",
      about: """
        Makes an auth method.

            $ consul acl auth-method create -type kubernetes -name cluster-1 -kubernetes-host https://k8s.example.com:8443 \\
                -kubernetes-ca-cert @ca.crt -kubernetes-service-account-jwt "$REVIEWER"
        """,
      clientFlags: ClientFlags.query, flags: output + contents + [type.any]
    ) { invocation in
      if invocation[type].isEmpty { throw CommandFailure("Missing required '-type' flag", showsHelp: true) }
      if invocation[name].isEmpty { throw CommandFailure("Missing required '-name' flag", showsHelp: true) }
      var method = ACLAuthMethod()
      method.name = invocation[name]
      method.type = invocation[type]
      apply(invocation, to: &method)
      if let settings = try settings(invocation) {
        method.config = settings
      } else if method.type == "kubernetes" {
        method.config = try kubernetes(invocation)
      }
      let client = try invocation.client()
      let made = try await explaining("Failed to create new auth method") { [method] in
        try await client.acl.create(method)
      }
      try show(made, invocation)
      return 0
    }
  }

  static var read: Command {
    Command(
      usage: "Usage: consul acl auth-method read -name NAME [options]", about: "Shows an auth method.",
      clientFlags: ClientFlags.query, flags: output + [name.any]
    ) { invocation in
      let name = invocation[self.name]
      if name.isEmpty { throw CommandFailure("Must specify the -name parameter") }
      try show(try await find(name, invocation, "Error reading auth method \(name.goQuoted)"), invocation)
      return 0
    }
  }

  private static func find(_ name: String, _ invocation: Invocation, _ failure: String) async throws -> ACLAuthMethod {
    let client = try invocation.client()
    let found = try await explaining(failure) { try await client.acl.authMethod(name, invocation.queryOptions) }
    guard let found else { throw CommandFailure("Auth method not found with name \(name.goQuoted)") }
    return found
  }

  static var list: Command {
    Command(
      usage: "Usage: consul acl auth-method list [options]", about: "Lists the auth methods.",
      clientFlags: ClientFlags.query, flags: output
    ) { invocation in
      let format = try ACLFormat(invocation)
      let client = try invocation.client()
      let methods = try await explaining("Failed to retrieve the auth method list") {
        try await client.acl.authMethods(invocation.queryOptions)
      }
      if methods.isEmpty, format == .pretty { return 0 }
      format.print(
        ACLFormat.json(methods), ACLAuthMethodFormat.text(methods, showsMeta: invocation[ACLFormat.meta]),
        invocation.console)
      return 0
    }
  }

  static var update: Command {
    Command(
      usage: "Usage: consul acl auth-method update -name NAME [options]",
      about: "Changes an auth method: what the flags say, and nothing else unless -no-merge is given.",
      clientFlags: ClientFlags.query, flags: output + contents + [noMerge.any]
    ) { invocation in
      let name = invocation[self.name]
      if name.isEmpty { throw CommandFailure("Cannot update an auth method without specifying the -name parameter") }
      let current = try await find(name, invocation, "Error when retrieving current auth method")
      var method = current
      if invocation[noMerge] {
        method = ACLAuthMethod()
        method.name = name
        method.type = current.type
      }
      apply(invocation, to: &method)
      if let settings = try settings(invocation) {
        method.config = settings
      } else if method.type == "kubernetes" {
        try changeKubernetes(&method, invocation)
      }
      let client = try invocation.client()
      let changed = try await explaining("Error updating auth method \(name.goQuoted)") { [method] in
        try await client.acl.update(method)
      }
      try show(changed, invocation)
      return 0
    }
  }

  private static func changeKubernetes(_ method: inout ACLAuthMethod, _ invocation: Invocation) throws {
    if invocation[noMerge] {
      method.config = try kubernetes(invocation)
      return
    }
    if !invocation[kubernetesHost].isEmpty { method.config["Host"] = .string(invocation[kubernetesHost]) }
    if !invocation[kubernetesCA].isEmpty { method.config["CACert"] = .string(try authority(invocation)) }
    if !invocation[kubernetesToken].isEmpty {
      method.config["ServiceAccountJWT"] = .string(invocation[kubernetesToken])
    }
  }

  static var delete: Command {
    Command(
      usage: "Usage: consul acl auth-method delete -name NAME [options]",
      about: "Deletes an auth method with its binding rules and the tokens of its logins.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [name.any]
    ) { invocation in
      let name = invocation[self.name]
      if name.isEmpty { throw CommandFailure("Must specify the -name parameter") }
      let client = try invocation.client()
      try await explaining("Error deleting auth method \(name.goQuoted)") {
        try await client.acl.deleteAuthMethod(name)
      }
      invocation.console.out("Auth method \(name.goQuoted) deleted successfully")
      return 0
    }
  }
}
