import HCL
import Model

/// Whether the values of a configuration go together. The first contradiction ends the search; what is only unwise is
/// returned as a warning.
enum Validation {
  static func check(
    _ configuration: RuntimeConfiguration, host: HostEnvironment
  ) throws(ConfigurationError) -> [String] {
    var warnings: [String] = []
    try checkLimits(configuration)
    try checkUserInterface(configuration)
    try checkIdentity(configuration, host, &warnings)
    try checkAddresses(configuration)
    try checkServerRole(configuration, &warnings)
    try checkSecurity(configuration, &warnings)
    try checkMesh(configuration)
    return warnings
  }

  // MARK: Numbers

  private static func checkLimits(_ configuration: RuntimeConfiguration) throws(ConfigurationError) {
    let multiplier = configuration.performance.raftMultiplier
    guard (1...10).contains(multiplier) else {
      throw .invalid("performance.raft_multiplier cannot be \(multiplier). Must be between 1 and 10")
    }
    guard configuration.raft.protocolVersion == 3 else {
      throw .invalid(
        "raft_protocol version \(configuration.raft.protocolVersion) is not supported by this version of Consul")
    }
    let notNegative: [(String, Int)] = [
      ("autopilot.max_trailing_logs", configuration.autopilot.maxTrailingLogs),
      ("dns_config.udp_answer_limit", configuration.dns.udpAnswerLimit),
      ("dns_config.a_record_limit", configuration.dns.aRecordLimit),
      ("bootstrap_expect", configuration.bootstrapExpect),
    ]
    for (path, value) in notNegative where value < 0 {
      throw .invalid("\(path) cannot be \(value). Must be greater than or equal to zero")
    }
    guard configuration.checkSettings.outputMaxSize > 0 else {
      throw .invalid(
        "check_output_max_size must be positive, to discard check output use the discard_check_output flag")
    }
    guard configuration.cache.entryFetchRate > 0 else {
      throw .invalid(
        "cache.entry_fetch_rate must be strictly positive, was: \(configuration.cache.entryFetchRate)")
    }
    guard configuration.cache.entryFetchMaxBurst > 0 else {
      throw .invalid(
        "cache.entry_fetch_max_burst must be strictly positive, was: \(configuration.cache.entryFetchMaxBurst)")
    }
    guard configuration.serverRejoinAgeMax >= .hours(6) else {
      throw .invalid("server_rejoin_age_max can't be set to a duration less than 6 hours")
    }
  }

  // MARK: Web interface

  private static func checkUserInterface(_ configuration: RuntimeConfiguration) throws(ConfigurationError) {
    let ui = configuration.ui
    let written = configuration.settings.string("ui_config.content_path")
    guard written.utf8.allSatisfy({ isNameByte($0, upperCase: true) || $0 == UInt8(ascii: "/") }) else {
      throw .invalid("ui-content-path can only contain alphanumeric, -, _, or /. received: \"\(written)\"")
    }
    let isVersion = { (part: Substring) in
      part.count > 1 && part.hasPrefix("v") && part.dropFirst().allSatisfy(\.isNumber)
    }
    guard !ui.contentPath.split(separator: "/").contains(where: isVersion) else {
      throw .invalid("ui-content-path cannot have 'v[0-9]'. received: \"\(written)\"")
    }
    if ui.enabled, !ui.directory.isEmpty {
      throw .invalid(
        """
        Both the ui_config.enabled and ui_config.dir (or -ui and -ui-dir) were specified, please provide only one.
        If trying to use your own web UI resources, use ui_config.dir or the -ui-dir flag.
        The web UI is included in the binary so use ui_config.enabled or the -ui flag to enable it
        """)
    }
    let options = ui.metricsProviderOptionsJSON
    if !options.isEmpty, (try? HCL.parseJSON(Array(options.utf8))) == nil || !options.contains("{") {
      throw .invalid(
        "ui_config.metrics_provider_options_json must be empty or a string containing a valid JSON object.")
    }
    let base = ui.metricsProxy.baseURL
    if !base.isEmpty, !base.hasPrefix("http://"), !base.hasPrefix("https://") {
      throw .invalid("ui_config.metrics_proxy.base_url must be a valid http or https URL.")
    }
    for path in ui.metricsProxy.pathAllowlist where !path.hasPrefix("/") {
      throw .invalid("ui_config.metrics_proxy.path_allowlist: paths must begin with a slash. received: \"\(path)\"")
    }
    for (name, url) in ui.dashboardURLTemplates where !url.hasPrefix("http://") && !url.hasPrefix("https://") {
      throw .invalid("ui_config.dashboard_url_templates values must be a valid http or https URL. \(name): \"\(url)\"")
    }
  }

  // MARK: Identity

  private static func checkIdentity(
    _ configuration: RuntimeConfiguration, _ host: HostEnvironment, _ warnings: inout [String]
  ) throws(ConfigurationError) {
    let datacenter = configuration.datacenter
    guard !datacenter.isEmpty else { throw .invalid("datacenter cannot be empty") }
    guard datacenter.utf8.allSatisfy({ isNameByte($0, upperCase: false) }) else {
      throw .invalid(
        "datacenter can only contain lowercase alphanumeric, - or _ characters. received: \"\(datacenter)\"")
    }
    if !configuration.isDevelopment {
      let directory = configuration.dataDirectory
      guard !directory.isEmpty else { throw .invalid("data_dir cannot be empty") }
      guard host.kind(directory) != .file else { throw .invalid("data_dir \"\(directory)\" is not a directory") }
    }
    guard !configuration.nodeName.isEmpty else { throw .invalid("node_name cannot be empty") }
    if let warning = nodeNameWarning(configuration.nodeName) { warnings.append(warning) }
    if let problem = NodeMetadata.problem(configuration.nodeMeta) { throw .invalid("node_meta invalid: \(problem)") }
    guard configuration.settings.string("segment").isEmpty, configuration.settings.list("segments").isEmpty else {
      throw .invalid("Network segments are not supported in this version of Consul")
    }
  }

  private static func nodeNameWarning(_ name: String) -> String? {
    let valid = name.utf8.allSatisfy { isNameByte($0, upperCase: true) && $0 != UInt8(ascii: "_") }
    if !valid {
      return "Node name \"\(name)\" will not be discoverable via DNS due to invalid characters."
        + " Valid characters include all alpha-numerics and dashes."
    }
    guard name.utf8.count > 63 else { return nil }
    return "Node name \"\(name)\" will not be discoverable via DNS due to it being too long."
      + " Valid lengths are between 1 and 63 bytes."
  }

  private static func isNameByte(_ byte: UInt8, upperCase: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): upperCase
    default: (0x30...0x39).contains(byte)
    }
  }

  // MARK: Addresses

  private static func checkAddresses(_ configuration: RuntimeConfiguration) throws(ConfigurationError) {
    let addresses = configuration.addresses
    guard !addresses.advertiseLAN.isUnspecified else {
      throw .invalid("Advertise address cannot be 0.0.0.0, :: or [::]")
    }
    guard !addresses.advertiseWAN.isUnspecified else {
      throw .invalid("Advertise WAN address cannot be 0.0.0.0, :: or [::]")
    }
    for case .unix in addresses.dns { throw .invalid("DNS address cannot be a unix socket") }
    for recursor in configuration.dns.recursors where recursor.hasPrefix("unix://") {
      throw .invalid("DNS Recursor address cannot be a unix socket: \(recursor)")
    }
    try checkDistinct(configuration)
  }

  /// No two listeners may share an address. gRPC and HTTPS may be Unix sockets, which count by their path.
  private static func checkDistinct(_ configuration: RuntimeConfiguration) throws(ConfigurationError) {
    let addresses = configuration.addresses
    let ports = configuration.ports
    var users: [(name: String, addresses: [ListenAddress])] = [
      ("DNS", addresses.dns), ("HTTP", addresses.http), ("HTTPS", addresses.https), ("gRPC", addresses.grpc),
      ("gRPC TLS", addresses.grpcTLS), ("RPC Advertise", [.ip(addresses.advertiseLAN, port: ports.server)]),
      ("Serf Advertise LAN", [.ip(addresses.advertiseLAN, port: ports.serfLAN)]),
    ]
    if configuration.isServer, ports.serfWAN > 0 {
      users.append(("Serf Advertise WAN", [.ip(addresses.advertiseWAN, port: ports.serfWAN)]))
    }
    var taken: [ListenAddress: String] = [:]
    for (name, list) in users {
      for address in list {
        if let other = taken[address] {
          throw .invalid("\(name) address \(address) already configured for \(other)")
        }
        taken[address] = name
      }
    }
  }
}
