import AgentConfiguration
import ConsulClient
import Model

/// `consul services …`: services of the agent.
enum ServicesCommands {
  static let group = CommandGroup(
    usage: "Usage: consul services <subcommand> [options] [args]",
    about: """
      Works with the services that are registered with the agent. For those of the whole datacenter see "consul catalog".

      Each subcommand explains its options with -h.
      """,
    entries: [
      .command("deregister", "Removes services from the agent") { deregister },
      .command("exported-services", "Lists the services that peers may use") { ExportedServicesCommand.command },
      .command("register", "Registers services with the agent") { register },
    ])

  private static let address = Flag.string("address", "Address of the service; the agent's own if there is none.")
  private static let id = Flag.string("id", "Id of the service; the same as its name if there is none.")
  private static let kind = Flag.string("kind", "Kind of the service, such as mesh-gateway.")
  private static let meta = Flag.map("meta", "Metadata of the service. May be given several times.")
  private static let name = Flag.string("name", "Name of the service.")
  private static let port = Flag.int("port", "Port of the service.")
  private static let socket = Flag.string(
    "socket", "Path of the service's Unix domain socket, instead of address and port.")
  private static let tag = Flag.strings("tag", "Tag of the service. May be given several times.")
  private static let taggedAddress = Flag.map(
    "tagged-address", placeholder: "tag=address",
    "Address for a purpose, such as lan=10.0.0.1:80 or wan=[2001:db8::1]:80. May be given several times.")

  // MARK: - Register

  static var register: Command {
    Command(
      usage: "Usage: consul services register [options] [FILE...]",
      about: """
        Registers a service that flags describe, or the services of files in HCL or JSON. The agent keeps them until
        they are deregistered, also across restarts.

            $ consul services register -name=web -port=80
            $ consul services register web.hcl
        """,
      clientFlags: ClientFlags.connection,
      flags: ClientFlags.tenancy + [
        address.any, id.any, kind.any, meta.any, name.any, port.any, socket.any, tag.any, taggedAddress.any,
      ]
    ) { invocation in
      let definitions = try definitions(invocation)
      let agent = try invocation.client().agent
      for definition in definitions {
        let name = definition["Name"]?.string ?? ""
        try await explaining("Error registering service \"\(name)\"") { try await agent.register(service: definition) }
        invocation.console.out("Registered service: \(name)")
      }
      return 0
    }
  }

  private static func definitions(_ invocation: Invocation) throws -> [Dynamic] {
    let describes = !invocation[name].isEmpty || !invocation[id].isEmpty
    guard describes || !invocation.arguments.isEmpty else {
      throw CommandFailure("Service registration requires at least one argument or flags.")
    }
    guard !describes || invocation.arguments.isEmpty else {
      throw CommandFailure("Service registration requires arguments or -id, not both.")
    }
    guard describes else {
      return try services(in: invocation.arguments).map { definition in
        do {
          return try Dynamic(json: Array(definition.json.utf8))
        } catch {
          throw CommandFailure("Error: \(error)")
        }
      }
    }
    return [try definition(invocation)]
  }

  /// The service that flags describe, as the API takes it.
  private static func definition(_ invocation: Invocation) throws(CommandFailure) -> Dynamic {
    var members = DynamicObject()
    for (member, text) in [
      ("Kind", invocation[kind]), ("ID", invocation[id]),
      ("Name", invocation[name].isEmpty ? invocation[id] : invocation[name]), ("Address", invocation[address]),
      ("SocketPath", invocation[socket]),
    ] where !text.isEmpty {
      members.append(member, .string(text))
    }
    if invocation[port] != 0 { members.append("Port", .int(Int64(invocation[port]))) }
    if !invocation[tag].isEmpty { members.append("Tags", .array(invocation[tag].map { .string($0) })) }
    if !invocation[meta].isEmpty {
      members.append(
        "Meta", .object(DynamicObject(invocation[meta].sorted { $0.key < $1.key }.map { ($0, .string($1)) })))
    }
    var addresses = DynamicObject()
    for (tag, text) in invocation[taggedAddress].sorted(by: { $0.key < $1.key }) {
      addresses.append(tag, try self.taggedAddress(text, defaultPort: invocation[port]))
    }
    if !addresses.isEmpty { members.append("TaggedAddresses", .object(addresses)) }
    return .object(members)
  }

  /// `address:port`, or an address alone for the service's own port.
  static func taggedAddress(_ text: String, defaultPort: Int) throws(CommandFailure) -> Dynamic {
    var host = Substring(text)
    var port: Int? = defaultPort
    if text.hasPrefix("["), let bracket = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<bracket]
      let rest = text[text.index(after: bracket)...]
      if !rest.isEmpty { port = rest.hasPrefix(":") ? Int(rest.dropFirst()) : nil }
    } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
      host = text[..<colon]
      port = Int(text[text.index(after: colon)...])
    }
    guard let port, (0...65535).contains(port), !host.isEmpty else {
      throw CommandFailure("Invalid tagged address: \(text)")
    }
    return ["Address": .string(String(host)), "Port": .int(Int64(port))]
  }

  private static func services(in paths: [String]) throws(CommandFailure) -> [ServiceDefinition] {
    do {
      return try ConfigurationLoader.services(in: paths)
    } catch {
      throw CommandFailure("Error: \(error)")
    }
  }

  // MARK: - Deregister

  static var deregister: Command {
    Command(
      usage: "Usage: consul services deregister [options] [FILE...]",
      about: """
        Removes a service from the agent by its id, or the services of files that "consul services register" took.

            $ consul services deregister -id=web
            $ consul services deregister web.hcl
        """,
      clientFlags: ClientFlags.connection,
      flags: ClientFlags.tenancy + [id.any]
    ) { invocation in
      guard !invocation[id].isEmpty || !invocation.arguments.isEmpty else {
        throw CommandFailure("Service deregistration requires at least one argument or -id.")
      }
      guard invocation[id].isEmpty || invocation.arguments.isEmpty else {
        throw CommandFailure("Service deregistration requires arguments or -id, not both.")
      }
      let ids =
        invocation[id].isEmpty
        ? try services(in: invocation.arguments).map { $0.id.isEmpty ? $0.name : $0.id } : [invocation[id]]
      let agent = try invocation.client().agent
      for id in ids {
        try await explaining("Error deregistering service \"\(id)\"") { try await agent.deregister(service: id) }
        invocation.console.out("Deregistered service: \(id)")
      }
      return 0
    }
  }
}
