import ConsulClient

/// The flags that every command has that talks to an agent, and what becomes of them.
enum ClientFlags {
  static let address = Flag.optional(
    "http-addr", placeholder: "address",
    "Where the agent's HTTP API listens, as host:port or with http://, https:// or unix:// before it. The environment "
      + "variable CONSUL_HTTP_ADDR says the same; without either it is 127.0.0.1:8500. With CONSUL_HTTP_SSL=true an "
      + "address without a scheme means HTTPS.")
  static let token = Flag.optional(
    "token",
    "ACL token to present. The environment variable CONSUL_HTTP_TOKEN says the same; without either the agent uses "
      + "its own default token.")
  static let tokenFile = Flag.optional(
    "token-file",
    "File that holds the ACL token to present; it wins over a token that is given itself. The environment variable "
      + "CONSUL_HTTP_TOKEN_FILE says the same.")
  static let authorityFile = Flag.optional(
    "ca-file",
    "PEM file with the authorities that may have signed the agent's certificate. The environment variable "
      + "CONSUL_CACERT says the same.")
  static let authorityDirectory = Flag.optional(
    "ca-path",
    "Directory of PEM files with such authorities. The environment variable CONSUL_CAPATH says the same.")
  static let certificate = Flag.optional(
    "client-cert",
    "PEM file with the certificate to present to an agent that verifies its clients. The environment variable "
      + "CONSUL_CLIENT_CERT says the same.")
  static let key = Flag.optional(
    "client-key",
    "PEM file with the private key of that certificate. The environment variable CONSUL_CLIENT_KEY says the same.")
  static let serverName = Flag.optional(
    "tls-server-name",
    "Name that the agent's certificate must carry, if it is not the host of the address. The environment variable "
      + "CONSUL_TLS_SERVER_NAME says the same.")
  static let datacenter = Flag.optional(
    "datacenter", "Datacenter to ask instead of the agent's own.")
  static let stale = Flag.bool(
    "stale",
    "Let any server answer, not only the leader: faster, and possible without a leader, but the answer may be a "
      + "little old. Writes do not care.")
  static let namespace = Flag.optional(
    "namespace", placeholder: "default", "Namespace to ask; agents without namespaces refuse it.")
  static let partition = Flag.optional(
    "partition", placeholder: "default", "Admin partition to ask; agents without partitions refuse it.")

  /// How to reach the agent.
  static let connection = [
    address.any, token.any, tokenFile.any, authorityFile.any, authorityDirectory.any, certificate.any, key.any,
    serverName.any,
  ]
  /// And which servers to ask through it.
  static let query = connection + [datacenter.any, stale.any]
  /// The tenancy of what a command works on, listed with the command's own flags.
  static let tenancy = [namespace.any, partition.any]
}

extension Invocation {
  /// A client for the agent that flags and environment name.
  func client() throws -> ConsulClient {
    do {
      return try ConsulClient(clientConfiguration())
    } catch {
      throw CommandFailure("Error connecting to Consul agent: \(error)")
    }
  }

  private func clientConfiguration() throws(ClientError) -> ClientConfiguration {
    var configuration = try ClientConfiguration(environment: environment.all, address: self[ClientFlags.address]) {
      console.err("[WARN]  consul-api: \($0)")
    }
    if let token = self[ClientFlags.token] {
      // A flag wins over the environment, also over a file that only the environment names.
      configuration.token = token
      configuration.tokenFile = nil
    }
    configuration.tokenFile = self[ClientFlags.tokenFile] ?? configuration.tokenFile
    take(ClientFlags.authorityFile, into: &configuration.tls.authorityFile)
    take(ClientFlags.authorityDirectory, into: &configuration.tls.authorityDirectory)
    take(ClientFlags.certificate, into: &configuration.tls.certificateFile)
    take(ClientFlags.key, into: &configuration.tls.keyFile)
    take(ClientFlags.serverName, into: &configuration.tls.serverName)
    configuration.datacenter = self[ClientFlags.datacenter]
    configuration.namespace = self[ClientFlags.namespace] ?? configuration.namespace
    configuration.partition = self[ClientFlags.partition] ?? configuration.partition
    return configuration
  }

  /// A flag that was given wins over the environment; an empty one takes back what that says.
  private func take(_ flag: Flag<String?>, into value: inout String?) {
    if let given = self[flag] { value = given.isEmpty ? nil : given }
  }

  /// Options of a read, as far as the common flags say them.
  var queryOptions: QueryOptions {
    var options = QueryOptions()
    options.allowStale = self[ClientFlags.stale]
    return options
  }

  /// Refuses arguments beyond those that the command knows.
  func requireArguments(atMost limit: Int) throws {
    guard arguments.count <= limit else {
      throw CommandFailure("Too many arguments (expected \(limit), got \(arguments.count))")
    }
  }

  /// An argument that may name its content's place: `-` for standard input, `@path` for a file.
  func data(of argument: String) throws(FileError) -> [UInt8] {
    if argument == "-" { return try console.readInput() }
    if argument.hasPrefix("@") { return try FileReader.read(String(argument.dropFirst())) }
    return Array(argument.utf8)
  }
}
