import ConsulClient
import Model

/// `consul connect …`: the service mesh.
enum ConnectCommands {
  static let group = CommandGroup(
    usage: "Usage: consul connect <subcommand> [options] [args]",
    about: "Works with the service mesh.",
    entries: [
      .group("ca", "Works with the mesh's certificate authority", CertificateAuthorityCommands.group),
      .command("expose", "Makes a service reachable through an ingress gateway") { ExposeCommand.command },
    ])
}

/// `consul connect ca …`: the configuration of the certificate authority.
enum CertificateAuthorityCommands {
  static let group = CommandGroup(
    usage: "Usage: consul connect ca <subcommand> [options] [args]",
    about: "Shows and changes how the certificate authority of the service mesh is configured.",
    entries: [
      .command("get-config", "Shows the configuration") { get },
      .command("set-config", "Changes the configuration") { set },
    ])

  static var get: Command {
    Command(
      usage: "Usage: consul connect ca get-config [options]",
      about: "Shows the configuration of the certificate authority as JSON.",
      clientFlags: ClientFlags.query
    ) { invocation in
      let client = try invocation.client()
      let configuration = try await explaining("Error querying CA configuration") {
        try await client.mesh.authorityConfiguration(invocation.queryOptions)
      }
      let bytes = Array(configuration.json.utf8).withUnsafeBytes { prettyJSON($0) }
      invocation.console.out(String(decoding: bytes, as: UTF8.self).trimmed)
      return 0
    }
  }

  private static let file = Flag.string(
    "config-file", default: "", "JSON file with the members Provider and Config.")
  private static let force = Flag.bool(
    "force-without-cross-signing",
    "Takes a new root although the present one cannot certify it: services refuse each other until all have renewed.")

  static var set: Command {
    Command(
      usage: "Usage: consul connect ca set-config [options]",
      about:
        "Replaces the configuration of the certificate authority. Where that needs another root, it is put into force "
        + "and the present one stays trusted until nothing depends on it.",
      clientFlags: ClientFlags.query,
      flags: [file.any, force.any]
    ) { invocation in
      let path = invocation[file]
      if path.isEmpty { throw CommandFailure("The -config-file flag is required") }
      let bytes = try await explaining("Error reading config file") { try FileReader.read(path) }
      var configuration = try await explaining("Error parsing config file") { try Dynamic(json: bytes) }
      if invocation[force], var members = configuration.object {
        members["ForceWithoutCrossSigning"] = true
        configuration = .object(members)
      }
      let client = try invocation.client()
      try await explaining("Error setting CA configuration") { [configuration] in
        try await client.mesh.setAuthorityConfiguration(configuration)
      }
      invocation.console.out("Configuration updated!")
      return 0
    }
  }
}
