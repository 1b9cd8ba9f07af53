import ConsulClient
import Model

/// `consul connect expose`: makes a service reachable through an ingress gateway.
enum ExposeCommand {
  private static let service = Flag.string("service", "The service to make reachable (required).")
  private static let gateway = Flag.string("ingress-gateway", "The service that the gateway is (required).")
  private static let port = Flag<Int>.int("port", "The port of the gateway (required).")
  private static let transport = Flag.string("protocol", default: "tcp", "What is spoken at the port.")
  private static let hosts = Flag<[String]>.strings(
    "host", "A host name by which requests for the service are known; may be given several times.")

  static var command: Command {
    Command(
      usage: "Usage: consul connect expose [options]",
      about: """
        Makes a service reachable at a port of an ingress gateway, and lets the gateway connect to it.

            $ consul connect expose -service=web -ingress-gateway=gateway -port=8888 -protocol=http
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [service.any, gateway.any, port.any, transport.any, hosts.any]
    ) { invocation in
      if invocation[service].isEmpty { throw CommandFailure("A service name must be given via the -service flag.") }
      if invocation[gateway].isEmpty {
        throw CommandFailure("An ingress gateway service must be given via the -ingress-gateway flag.")
      }
      if invocation[port] == 0 { throw CommandFailure("A port must be provided via the -port flag.") }
      let client = try invocation.client()
      try await open(invocation, client)
      try await allow(invocation, client)
      return 0
    }
  }

  /// Puts the service behind the port.
  private static func open(_ invocation: Invocation, _ client: ConsulClient) async throws {
    let (kind, name) = (ConfigEntryKind.ingressGateway.rawValue, invocation[gateway])
    var entry = IngressGateway(name: name)
    do {
      let old = try await client.configEntries.read(kind, name)
      entry = old.as(IngressGateway.self) ?? entry
    } catch ClientError.unexpectedStatus(404, _) {
    } catch {
      throw CommandFailure("Error fetching existing ingress configuration: \(describe(error))")
    }
    var exposed = IngressService()
    exposed.name = invocation[service]
    exposed.hosts = invocation[hosts]
    if entry.expose(exposed, port: invocation[port], transport: invocation[transport]) {
      invocation.console.out(
        "Updating service definition for \(exposed.name.goQuoted) on listener with port \(invocation[port])")
    }
    let written = ConfigEntry(entry)
    let isWritten = try await explaining("Error writing ingress config entry") {
      try await client.configEntries.write(written, ifIndex: written.modifyIndex)
    }
    guard isWritten else { throw CommandFailure("Ingress config entry was changed in the meantime, please try again") }
    invocation.console.out("Successfully updated config entry for ingress service \(name.goQuoted)")
  }

  private static func allow(_ invocation: Invocation, _ client: ConsulClient) async throws {
    let (source, destination) = (invocation[gateway], invocation[service])
    let ends = "\(source.goQuoted) -> \(destination.goQuoted)"
    let old = try await explaining("Error looking up existing intention") {
      try await client.intentions.read(source: source, destination: destination)
    }
    if let old {
      invocation.console.out("Intention already exists for \(ends)")
      if old.action == Intention.deny { invocation.console.err("Warning: the intention denies connections") }
      return
    }
    var intention = Intention()
    intention.sourceName = source
    intention.destinationName = destination
    intention.action = Intention.allow
    try await explaining("Error upserting intention") { [intention] in try await client.intentions.upsert(intention) }
    invocation.console.out("Successfully set up intention for \(ends)")
  }
}

extension IngressGateway {
  /// - Returns: whether the service was behind the port before.
  fileprivate mutating func expose(_ service: IngressService, port: Int, transport: String) -> Bool {
    guard let place = listeners.firstIndex(where: { $0.port == port }) else {
      var listener = IngressListener()
      listener.port = port
      listener.protocol = transport
      listener.services = [service]
      listeners.append(listener)
      return false
    }
    listeners[place].protocol = transport
    if let known = listeners[place].services.firstIndex(where: { $0.name == service.name }) {
      listeners[place].services[known] = service
      return true
    }
    listeners[place].services.append(service)
    return false
  }
}
