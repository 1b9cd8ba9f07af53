import HCL
import Model
import Testing

@testable import AgentConfiguration

@Suite struct SettingTableTests {
  @Test func everyOptionStandsOnce() {
    let paths = SettingTable.all.map(\.path)
    #expect(Set(paths).count == paths.count)
    #expect(Set(paths.map { $0.lowercased() }).count == paths.count)
  }

  @Test func everyOptionExplainsItself() {
    for setting in SettingTable.all {
      #expect(setting.meaning.count > 3 && setting.meaning.hasSuffix("."), "\(setting.path)")
    }
  }

  @Test func noOptionIsAlsoABlock() {
    let paths = Set(SettingTable.all.map(\.path))
    for path in paths {
      let isBlock = paths.contains { $0.hasPrefix(path + ".") }
      #expect(!isBlock, "\(path)")
    }
  }

  @Test func defaultsHaveTheTypeOfTheirOption() {
    for setting in SettingTable.all {
      guard let value = setting.defaultValue else { continue }
      let fits =
        switch (setting.type, value) {
        case (.bool, .bool), (.int, .int), (.string, .string), (.double, .double), (.double, .int): true
        case (.duration, .string(let text)): GoDuration(text) != nil
        case (.strings, .array): true
        default: false
        }
      #expect(fits, "\(setting.path)")
    }
  }

  @Test func olderNamesLeadToOptionsOfTheSameType() {
    for deprecation in Deprecation.all {
      guard let replacement = deprecation.replacement else { continue }
      let setting = SettingTable.setting(at: replacement)
      #expect(setting?.type.goName == deprecation.type.goName, "\(deprecation.path)")
    }
  }

  @Test func everyOptionCanBeWrittenInAFile() throws {
    for setting in SettingTable.all where !setting.traits.contains(.unwritable) {
      guard let value = Self.sample(setting.type) else { continue }
      let document = setting.path.split(separator: ".").reversed().reduce(value) { inner, name in
        .object(DynamicObject([(String(name), inner)]))
      }
      let values = try SettingDecoder.decode(document.object ?? DynamicObject())
      #expect(values[setting.path] == value, "\(setting.path)")
    }
  }

  private static func sample(_ type: SettingType) -> Dynamic? {
    switch type {
    case .bool: true
    case .int: 7
    case .double: .double(1.5)
    case .string: "x"
    case .duration: "1s"
    case .strings: ["x"]
    case .stringMap, .durationMap, .object: ["a": "1s"]
    case .objects: [["a": 1]]
    case .blocks, .namedBlocks, .definitions: nil
    }
  }

  @Test func internalOptionsCannotBeWrittenInAFile() {
    #expect(throws: ConfigurationError.unknownKeys(["consul.raft.election_timeout"])) {
      try SettingDecoder.decode(HCL.parse("consul { raft { election_timeout = \"1s\" } }").plainObject)
    }
  }

  @Test(arguments: [
    ("nonsense = 1 dns_config { typo_ttl = \"5s\" }", ["dns_config.typo_ttl", "nonsense"]),
    ("ports { htp = 1 } zzz {}", ["ports.htp", "zzz"]),
    ("check { name = \"s\" script = \"true\" interval = \"10s\" }", ["check.script"]),
    ("service { name = \"bad\" unknown = 1 }", ["service.unknown"]),
    (
      "service { name = \"x\" connect { sidecar_service { proxy { upstreams { typo = 1 } } } } }",
      [
        "service.connect.sidecar_service.proxy.upstreams.typo"
      ]
    ),
    ("service \"web\" { port = 80 }", ["service.web"]),
    ("services = [{ name = \"a\" }, { name = \"b\" typo = 1 }]", ["services[1].typo"]),
    ("tls { bogus {} }", ["tls.bogus"]),
    ("audit { sink \"a\" { type = \"file\" typo = 1 } }", ["audit.sink[a].typo"]),
    ("segments { name = \"a\" typo = 1 }", ["segments[0].typo"]),
  ])
  func unknownKeysAreAllReported(text: String, keys: [String]) {
    #expect(throws: ConfigurationError.unknownKeys(keys)) {
      try SettingDecoder.decode(HCL.parse(text).plainObject)
    }
  }

  @Test(arguments: [
    (
      "server = \"yes\" ports { http = \"many\" }",
      [
        "'ports.http' expected type 'int', got unconvertible type 'string', value: 'many'",
        "'server' expected type 'bool', got unconvertible type 'string', value: 'yes'",
      ]
    ),
    ("session_ttl_min = 10", ["'session_ttl_min' expected type 'string', got unconvertible type 'int', value: '10'"]),
    ("recursors = \"8.8.8.8\"", ["'recursors': source data must be an array or slice, got string"]),
    ("node_meta { a = 1 }", ["'node_meta[a]' expected type 'string', got unconvertible type 'int', value: '1'"]),
    ("dns_config = 1", ["'dns_config' expected a map, got 'int'"]),
    ("dns_config {} dns_config {}", ["'dns_config' expected a map, got 'slice'"]),
    (
      "service { name = \"a\" port = \"x\" check { interval = 10 } }",
      [
        "'service.check.interval' expected type 'string', got unconvertible type 'int', value: '10'",
        "'service.port' expected type 'int', got unconvertible type 'string', value: 'x'",
      ]
    ),
    ("service { name = \"a\" tags = \"x\" }", ["'service.tags': source data must be an array or slice, got string"]),
    (
      "bind_addr = [\"a\", \"b\"]",
      [
        "'bind_addr' expected type 'string', got unconvertible type '[]interface {}', value: '[a b]'"
      ]
    ),
  ])
  func wrongTypesAreAllReported(text: String, messages: [String]) {
    #expect(throws: ConfigurationError.wrongTypes(messages)) {
      try SettingDecoder.decode(HCL.parse(text).plainObject)
    }
  }

  @Test func aBlockMayBeAListOfOne() throws {
    let values = try SettingDecoder.decode(
      HCL.parse(#"{"http_config": [{"response_headers": [{"X-Own": "yes"}]}], "limits": [{"rpc_max_burst": 3.0}]}"#)
        .plainObject)
    #expect(values.stringMap("http_config.response_headers") == ["X-Own": "yes"])
    #expect(values.int("limits.rpc_max_burst") == 3)
  }

  @Test func namesMatchInAnyCaseAndNullIsNothing() throws {
    let values = try SettingDecoder.decode(
      HCL.parse(#"{"Node_Name": "n", "PORTS": {"HTTP": 1}, "domain": null}"#).plainObject)
    #expect(values.string("node_name") == "n")
    #expect(values.int("ports.http") == 1)
    #expect(values["domain"] == nil)
  }
}
