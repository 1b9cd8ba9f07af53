import Glibc
import Testing

@testable import CommandLineInterface

/// The program as a whole, without an agent: exit codes, and what goes to which stream.
struct ProgramTests {
  @Test(
    "Without a command, or with an unknown one, the list of commands goes to standard error",
    arguments: [
      [], ["bogus"], ["configtest"],
    ])
  func unknownCommand(words: [String]) async {
    let captured = CapturedConsole()
    let code = await CommandLineInterface.run(
      arguments: words, environment: Environment([:]), console: captured.console)
    #expect(code == 127)
    #expect(captured.out.isEmpty)
    #expect(
      captured.err.hasPrefix("Usage: consul [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n"))
  }

  @Test("Help that is asked for goes to standard output", arguments: ["-h", "-help", "--help"])
  func help(flag: String) async {
    for words in [[flag], ["kv", flag], ["kv", "get", flag], ["kv", "get", "a", flag], ["lock", flag]] {
      let captured = CapturedConsole()
      let code = await CommandLineInterface.run(
        arguments: words, environment: Environment([:]), console: captured.console)
      #expect(code == 0)
      #expect(captured.err.isEmpty)
      #expect(captured.out.hasPrefix("Usage: consul"))
    }
  }

  @Test(
    "A group without a subcommand, or with an unknown one, explains itself on standard error",
    arguments: [
      ["kv"], ["kv", "bogus"], ["catalog"], ["catalog", "service", "web"],
    ])
  func groups(words: [String]) async {
    let captured = CapturedConsole()
    let code = await CommandLineInterface.run(
      arguments: words, environment: Environment([:]), console: captured.console)
    #expect(code == 1)
    #expect(captured.out.isEmpty)
    #expect(captured.err.contains("\nSubcommands:\n"))
  }

  @Test("Commands stand in alphabetical order, and every one can be built")
  func tree() {
    func check(_ entries: [CommandTree.Entry]) {
      let names = entries.map(\.name)
      #expect(names == names.sorted())
      for entry in entries {
        switch entry.node {
        case .group(let group): check(group.entries)
        case .command(let make):
          let command = make()
          let flags = (command.clientFlags + command.flags).map(\.name)
          #expect(Set(flags).count == flags.count, "\(command.usage) has a flag twice")
          #expect(command.usage.hasPrefix("Usage: consul "))
        }
      }
    }
    check(CommandTree.root.entries)
  }

  @Test("A wrong flag is named, and the flags are listed")
  func wrongFlag() async {
    let (code, out, err) = await runProgram("keygen", "-bogus")
    #expect(code == 1)
    #expect(out.isEmpty)
    #expect(err == "flag provided but not defined: -bogus\nUsage:\n")
    let watch = await runProgram("kv", "get", "-nonsense", "a")
    #expect(watch.err.hasPrefix("flag provided but not defined: -nonsense\nUsage:\n  -base64\n    \t"))
    #expect(watch.err.contains("  -separator string\n    \t"))
    #expect(watch.err.contains("(default \"/\")\n"))
  }

  @Test(
    "Arguments that are missing, too many or at odds are refused before an agent is asked",
    arguments: [
      (["kv", "get"], "Error! Missing KEY argument"),
      (["kv", "get", ""], "Error! Missing KEY argument"),
      (["kv", "get", "a", "b"], "Too many arguments (expected 1, got 2)"),
      (["kv", "put"], "Error! Missing KEY argument"),
      (["kv", "put", "k", "1", "2"], "Error! Too many arguments (expected 1 or 2, got 3)"),
      (["kv", "put", "dash", "--", "-x"], "Error! Too many arguments (expected 1 or 2, got 3)"),
      (["kv", "put", "f", "@absent.json"], "Error! Failed to read file: open absent.json: no such file or directory"),
      (["kv", "put", "-base64", "i", "%%%"], "Error! Cannot base 64 decode data: illegal base64 data at input byte 0"),
      (["kv", "put", "-acquire", "k", "x"], "Error! Missing -session (required with -acquire and -release)"),
      (["kv", "put", "/slash", "x"], "Error! Failed writing data: Invalid key. Key must not begin with a '/': /slash"),
      (["kv", "delete"], "Error! Missing KEY argument"),
      (["kv", "delete", "-modify-index=1", "a"], "Cannot specify -modify-index without -cas!"),
      (["kv", "delete", "-cas", "-recurse", "-modify-index=3", "b"], "Cannot specify both -cas and -recurse!"),
      (
        ["kv", "delete", "-cas", "a"],
        "Cannot delete a key that does not exist. Provide a -modify-index greater than than 0."
      ),
      (["kv", "export", "a", "b"], "Too many arguments (expected 1, got 2)"),
      (["kv", "import"], "Error! Missing DATA argument"),
      (["kv", "import", "a", "b"], "Error! Too many arguments (expected 1, got 2)"),
      (["kv", "import", "not json"], "Cannot unmarshal data: invalid character 'o' in literal null (expecting 'u')"),
      (
        ["kv", "import", #"[{"key": "bad", "value": "%%%"}]"#],
        "Error base 64 decoding value for key bad: illegal base64 data at input byte 0"
      ),
      (["catalog", "nodes", "extra"], "Too many arguments (expected 0, got 1)"),
      (["members", "-status=["], "Failed to compile status regexp: error parsing regexp: missing closing ]: `[`"),
      (["members", "-status", "x("], "Failed to compile status regexp: error parsing regexp: missing closing ): `x(`"),
      (["maint", "-enable", "-disable"], "Only one of -enable or -disable may be provided"),
      (["maint", "-disable", "-reason=x"], "Reason may only be provided with -enable"),
      (["maint", "-service=web"], "Service requires either -enable or -disable"),
      (["event", "-name=a", "-tag=blue"], "Cannot provide tag filter without service filter."),
      (
        ["event", "-name=a", "-service=["],
        "Failed to compile service filter regexp: error parsing regexp: missing closing ]: `[`"
      ),
      (["lock", "locks/a"], "Key prefix and child command must be specified"),
      (["lock", "-n=0", "locks/a", "true"], "Lock holder limit must be positive"),
      (["lock", "-timeout=-1s", "locks/a", "true"], "Timeout must be positive"),
      (["lock", "-monitor-retry=-1", "locks/a", "true"], "Number for 'monitor-retry' must be >= 0"),
      (["watch", "-type=nonsense"], "Unsupported watch type: nonsense"),
      (["watch", "-type=connect_roots"], "Type connect_roots is not supported in the CLI tool"),
      (
        ["watch", "-type=services", "-passingonly=maybe"],
        #"Failed to parse passingonly flag: strconv.ParseBool: parsing "maybe": invalid syntax"#
      ),
      (["version", "-format=yaml"], "Unknown format: yaml"),
      (["validate"], "Must specify at least one config file or directory"),
      (["validate", "-config-format=toml", "x"], "-config-format must be either 'hcl' or 'json"),
      (
        ["validate", "absent.hcl"],
        "Config validation failed: config: Open failed on absent.hcl. open absent.hcl: no such file or directory"
      ),
      (["agent", "-dev", "extra"], "==> Unexpected extra arguments: [extra]"),
      (["agent", "-bind", "127.0.0.1"], "==> data_dir cannot be empty"),
      (["services", "register"], "Service registration requires at least one argument or flags."),
      (["services", "register", "-port=1"], "Service registration requires at least one argument or flags."),
      (
        ["services", "register", "-name=x", "web.json"],
        "Service registration requires arguments or -id, not both."
      ),
      (
        ["services", "register", "absent.json"],
        "Error: config: Open failed on absent.json. open absent.json: no such file or directory"
      ),
      (
        ["services", "register", "-name=x", "-tagged-address=lan=10.0.0.1:port"],
        "Invalid tagged address: 10.0.0.1:port"
      ),
      (["services", "deregister"], "Service deregistration requires at least one argument or -id."),
      (
        ["services", "deregister", "-id=web", "web.json"],
        "Service deregistration requires arguments or -id, not both."
      ),
    ])
  func refusals(words: [String], text: String) async {
    let captured = CapturedConsole()
    let code = await CommandLineInterface.run(
      arguments: words, environment: Environment(["CONSUL_HTTP_ADDR": "127.118.1.1:8500"]), console: captured.console)
    #expect(code == 1)
    #expect(captured.out.isEmpty)
    #expect(captured.err == text + "\n")
  }

  @Test(
    "Some refusals are followed by the command's help",
    arguments: [
      (["watch"], "Watch type must be specified"),
      (["event"], "Event name must be specified"),
      (["event", "-name=a", "one", "two"], "Too many command line arguments."),
      (["join"], "At least one address to join must be specified."),
      (["force-leave", "a", "b"], "A single node name must be specified to force leave."),
    ])
  func refusalsWithHelp(words: [String], text: String) async {
    let captured = CapturedConsole()
    let code = await CommandLineInterface.run(
      arguments: words, environment: Environment([:]), console: captured.console)
    #expect(code == 1)
    #expect(captured.err.hasPrefix("\(text)\n\nUsage: consul \(words[0]) "))
  }

  @Test("An argument of a command without arguments may bring its help to standard output")
  func leaveExtra() async {
    let (code, out, err) = await runProgram("leave", "extra")
    #expect(code == 1)
    #expect(out.hasPrefix("Usage: consul leave [options]\n\n"))
    #expect(err == "Error found unexpected args: [extra]\n")
  }

  @Test("An agent that does not answer is named with the request")
  func noAgent() async {
    let environment = ["CONSUL_HTTP_ADDR": "127.118.2.1:8500"]
    let cause = "dial tcp 127.118.2.1:8500: connect: connection refused"
    for (words, text) in [
      (["kv", "get", "a"], #"Error querying Consul agent: Get "http://127.118.2.1:8500/v1/kv/a": "#),
      (["members"], #"Error retrieving members: Get "http://127.118.2.1:8500/v1/agent/members?segment=_all": "#),
      (["leave"], #"Error leaving: Put "http://127.118.2.1:8500/v1/agent/leave": "#),
      (["catalog", "services"], #"Error listing services: Get "http://127.118.2.1:8500/v1/catalog/services": "#),
      (["watch", "-type=nodes"], #"Error querying Consul agent: Get "http://127.118.2.1:8500/v1/status/leader": "#),
    ] {
      let captured = CapturedConsole()
      let code = await CommandLineInterface.run(
        arguments: words, environment: Environment(environment), console: captured.console)
      #expect(code == 1)
      #expect(captured.err == text + cause + "\n")
    }
  }

  @Test("Flags that name no usable connection are refused")
  func connectionFlags() async {
    for (flag, text) in [
      ("-http-addr=ftp://h:1", "Unknown protocol scheme: ftp"),
      ("-token-file=absent", "Error loading token file absent : open absent: no such file or directory"),
      ("-ca-file=absent", "Error loading CA File: open absent: no such file or directory"),
      ("-client-cert=absent", "both client cert and client key must be provided"),
    ] {
      #expect(await runProgram("kv", "get", flag, "a").err == "Error connecting to Consul agent: \(text)\n")
    }
  }

  @Test("The version is printed in the lines that tools read")
  func version() async {
    for words in [["version"], ["-v"], ["--version"], ["version", "-format=pretty"]] {
      let captured = CapturedConsole()
      let code = await CommandLineInterface.run(
        arguments: words, environment: Environment([:]), console: captured.console)
      #expect(code == 0)
      #expect(captured.out.hasPrefix("Consul v1.21."))
    }
    #expect(await runProgram("version", "-format=json").out.hasPrefix("{\n    \"Version\": \"1.21."))
  }

  @Test("Each generated key is another one, of 32 bytes")
  func keygen() async {
    let first = await runProgram("keygen").out
    #expect(first != (await runProgram("keygen").out))
    #expect(first.utf8.count == 44 + 1)
  }

  @Test("A configuration is checked as a whole")
  func validate() async throws {
    let folder = "/tmp/proconsul-validate-\(getpid())"
    mkdir(folder, 0o755)
    defer {
      unlink(folder + "/good.hcl")
      unlink(folder + "/ignored.txt")
      rmdir(folder)
    }
    try write("data_dir = \"data\"\nservice {\n  name = \"web\"\n  port = 80\n}\n", to: folder + "/good.hcl")
    try write("nonsense =", to: folder + "/ignored.txt")
    let file = await runProgram("validate", folder + "/good.hcl")
    #expect(file.code == 0 && file.out == "Configuration is valid!\n" && file.err.isEmpty)
    let quiet = await runProgram("validate", "-quiet", folder)
    #expect(quiet.code == 0 && quiet.out.isEmpty && quiet.err.isEmpty)
    let directory = await runProgram("validate", folder)
    #expect(directory.code == 0)
    #expect(directory.err.hasPrefix("skipping file \(folder)/ignored.txt, "))
  }

  private func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path, "w"))
    fputs(text, file)
    fclose(file)
  }
}
