import Model
import Testing

@testable import AgentConfiguration

@Suite struct LoadingTests {
  @Test func laterSourcesWinListsGrowAndMapsMerge() throws {
    let files = [
      "d/10-base.hcl": """
      node_meta { a = "base" b = "base" }
      dns_config { node_ttl = "10s" service_ttl = { x = "1s" y = "2s" } }
      domain = "one" datacenter = "dc-base" recursors = ["192.0.2.1"]
      service { name = "from-base" port = 1 }
      """,
      "d/20-over.json": """
      {"node_meta": {"b": "over", "c": "over"}, "dns_config": {"node_ttl": "20s", "service_ttl": {"y": "3s", "z": "4s"}},
       "service": {"name": "from-over"}, "domain": "two"}
      """,
      "d/05-first.hcl": "dns_config { node_ttl = \"99s\" only_passing = true } service { name = \"from-first\" }",
      "d/sub/ignored.hcl": "domain = \"sub\"",
      "one.hcl": "domain = \"three\" node_meta { d = \"one\" }",
      "two.json": #"{"datacenter": "dc-two", "node_meta": {"d": "two"}, "services": [{"name": "from-two"}]}"#,
    ]
    var flags = AgentFlags()
    let rest = try flags.parse([
      "-dev", "-config-dir", "d", "-config-file=one.hcl", "-config-file", "two.json", "-node-meta", "flag:yes",
      "-recursor", "192.0.2.2", "-hcl", "domain = \"five\"", "-http-port=9500",
    ])
    let loaded = try ConfigurationLoader(flags: flags, host: .fake(files: files)).load().configuration
    #expect(rest.isEmpty)
    #expect(loaded.datacenter == "dc-two")
    #expect(loaded.dns.domain == "five.")
    #expect(loaded.nodeMeta == ["a": "base", "b": "over", "c": "over", "d": "two", "flag": "yes"])
    #expect(loaded.dns.nodeTTL == .seconds(20))
    #expect(loaded.dns.onlyPassing)
    #expect(loaded.dns.serviceTTL == ["x": .seconds(1), "y": .seconds(3), "z": .seconds(4)])
    #expect(loaded.dns.recursors == ["192.0.2.1", "192.0.2.2"])
    #expect(loaded.ports.http == 9500)
    #expect(loaded.services.map(\.effectiveID).sorted() == ["from-base", "from-first", "from-over", "from-two"])
    #expect(loaded.sourcePaths == ["d", "one.hcl", "two.json"])
  }

  @Test func onlyKnownFilesOfADirectoryAreRead() throws {
    var flags = AgentFlags()
    flags.configPaths = ["dir"]
    let files = [
      "dir/a.hcl": "data_dir = \"/tmp/x\" bind_addr = \"127.0.0.1\"", "dir/b.json": #"{"log_level": "debug"}"#,
      "dir/c.conf": "this is not read (((",
    ]
    let loaded = try ConfigurationLoader(flags: flags, host: .fake(files: files)).load()
    #expect(loaded.configuration.logging.level == "debug")
    #expect(
      loaded.warnings == [
        "skipping file dir/c.conf, extension must be .hcl or .json, or config format must be set"
      ])
  }

  @Test(
    arguments: [
      ("noext", nil, "file noext has unknown extension; must be .hcl or .json, or config format must be set"),
      ("noext", "hcl", nil),
      ("noext", "json", "failed to parse noext: invalid character 'd' looking for beginning of value"),
      ("noext", "yaml", "-config-format must be either 'hcl' or 'json"),
      ("absent.hcl", nil, "config: Open failed on absent.hcl. open absent.hcl: no such file or directory"),
      ("broken.hcl", nil, "failed to parse broken.hcl: At 1:16: literal not terminated"),
      ("broken.json", nil, "failed to parse broken.json: unexpected end of JSON input"),
      ("blank.hcl", nil, "data_dir cannot be empty"),
      ("blank.json", nil, "data_dir cannot be empty"),
      ("unknown.hcl", nil, "failed to parse unknown.hcl: 1 error occurred:\n\t* invalid config key nonsense\n\n"),
    ] as [(String, String?, String?)])
  func filesAreRefusedWithTheirName(path: String, format: String?, message: String?) {
    let files = [
      "noext": "data_dir = \"/tmp/x\" bind_addr = \"127.0.0.1\"", "broken.hcl": "datacenter = \"a\n",
      "broken.json": "{\"service\": ", "blank.hcl": "", "blank.json": "", "unknown.hcl": "nonsense = true",
    ]
    var flags = AgentFlags()
    flags.configPaths = [path]
    flags.configFormat = format
    do {
      _ = try ConfigurationLoader(flags: flags, host: .fake(files: files)).load()
      #expect(message == nil)
    } catch {
      #expect(error.description == message)
    }
  }

  @Test func filesOfThisHostAreRead() throws {
    #expect(HostEnvironment.thisHost.kind("/") == .directory)
    #expect(HostEnvironment.thisHost.kind("/no/such/path") == .missing)
    #expect(!HostEnvironment.thisHost.hostName().isEmpty)
    #expect(try HostEnvironment.thisHost.list("/proc").contains("self"))
    #expect(!(try HostEnvironment.thisHost.read("/proc/self/cmdline").isEmpty))
    #expect(HostEnvironment.thisHost.interfaces().contains { $0.address.isLoopback })
    let error = #expect(throws: ConfigurationError.self) { try HostEnvironment.thisHost.read("/no/such/path") }
    #expect(
      error?.description == "config: Open failed on /no/such/path. open /no/such/path: no such file or directory")
  }

  @Test func serviceDefinitionsOfFilesAreReadForTheCommandLine() throws {
    let files = [
      "api.hcl": "services {\n name = \"a\"\n connect { sidecar_service {} }\n}\nservices { name = \"b\" }",
      "naked.json": #"{"name": "web", "port": 80, "connect": {"sidecar_service": {}}}"#,
    ]
    let host = HostEnvironment.fake(files: files)
    #expect(try ConfigurationLoader.services(in: ["api.hcl"], host: host).map(\.name) == ["a", "b"])
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationLoader.services(in: ["naked.json"], host: host)
    }
    #expect(
      error?.description
        == "failed to parse naked.json: 3 errors occurred:\n\t* invalid config key connect.sidecar_service\n"
        + "\t* invalid config key name\n\t* invalid config key port\n\n")
  }
}

@Suite struct AgentFlagsTests {
  @Test func everyFlagLeadsToAnOptionOfItsType() {
    #expect(
      AgentFlag.all.map(\.name) == AgentFlag.all.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    for flag in AgentFlag.all {
      guard case .setting(let path) = flag.target else { continue }
      let type = SettingTable.setting(at: path)?.type
      let fits =
        switch (flag.kind, type) {
        case (.bool, .bool), (.int, .int), (.string, .string), (.string, .duration): true
        case (.strings, .strings), (.pairs, .stringMap): true
        default: false
        }
      #expect(fits, "-\(flag.name)")
    }
  }

  @Test func commandLinesAreReadInAllSpellings() throws {
    var flags = AgentFlags()
    let rest = try flags.parse([
      "-server", "--ui=false", "-data-dir", "d", "-retry-join=a", "-retry-join", "b", "-bootstrap-expect=3",
      "-node-meta",
      "k:v:w", "-dev", "--", "-extra",
    ])
    #expect(rest == ["-extra"])
    #expect(flags.isDevelopment)
    #expect(flags.values.bool("server"))
    #expect(flags.values.optionalBool("ui_config.enabled") == false)
    #expect(flags.values.strings("retry_join") == ["a", "b"])
    #expect(flags.values.int("bootstrap_expect") == 3)
    #expect(flags.values.stringMap("node_meta") == ["k": "v:w"])
  }

  @Test(arguments: [
    (["-bogus"], "flag provided but not defined: -bogus"), (["-data-dir"], "flag needs an argument: -data-dir"),
    (
      ["-http-port", "x"],
      "invalid value \"x\" for flag -http-port: strconv.ParseInt: parsing \"x\": invalid syntax"
    ),
    (
      ["-server=maybe"],
      "invalid value \"maybe\" for flag -server: strconv.ParseBool: parsing \"maybe\": invalid syntax"
    ),
  ])
  func badFlagsAreRefused(arguments: [String], message: String) {
    var flags = AgentFlags()
    let error = #expect(throws: AgentFlags.Failure.self) { try flags.parse(arguments) }
    #expect(error?.description == message)
  }
}
