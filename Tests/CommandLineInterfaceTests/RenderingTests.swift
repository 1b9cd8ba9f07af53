import ConsulClient
import Model
import Testing

@testable import CommandLineInterface

/// What commands print, as pure functions of what agents say.
struct RenderingTests {
  private var pair: KVPair {
    var pair = KVPair(key: "redis/config/minconns", value: Array("1".utf8), flags: 42)
    pair.createIndex = 16
    pair.modifyIndex = 16
    return pair
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test("A value is printed as it is, with one line break after it")
  func value() {
    let binary = KVPair(key: "k", value: [0, 255, 10])
    #expect(KVFormat(isDetailed: false, asBase64: false).single(binary) == [0, 255, 10, 10])
    #expect(text(KVFormat(isDetailed: false, asBase64: true).single(binary)) == "AP8K\n")
    #expect(text(KVFormat(isDetailed: false, asBase64: false).single(KVPair(key: "e"))) == "\n")
  }

  @Test("A detailed entry stands in two columns")
  func detailed() {
    #expect(
      text(KVFormat(isDetailed: true, asBase64: false).single(pair)) == """
        CreateIndex      16
        Flags            42
        Key              redis/config/minconns
        LockIndex        0
        ModifyIndex      16
        Session          -
        Value            1

        """)
    #expect(text(KVFormat(isDetailed: true, asBase64: false).single(KVPair(key: "e"))).hasSuffix("\nValue\n"))
  }

  @Test("Entries below a prefix are lines, or blocks with an empty line between")
  func lists() {
    let pairs = [KVPair(key: "a", value: [65]), KVPair(key: "b", value: Array("x\ny\n".utf8))]
    #expect(text(KVFormat(isDetailed: false, asBase64: false).list(pairs)) == "a:A\nb:x\ny\n\n")
    #expect(text(KVFormat(isDetailed: false, asBase64: true).list(pairs)) == "a:QQ==\nb:eAp5Cg==\n")
    #expect(text(KVFormat(isDetailed: true, asBase64: false).list(pairs)).contains("Value            A\n\nCreateIndex"))
    #expect(KVFormat(isDetailed: true, asBase64: false).list([]).isEmpty)
  }

  @Test("An export is read back by an import")
  func transfer() throws {
    let pairs = [KVPair(key: "a/b", value: [1, 2], flags: 42), KVPair(key: "c")]
    let exported = KVTransfer.text(of: pairs)
    #expect(
      exported == """
        [
        \t{
        \t\t"key": "a/b",
        \t\t"flags": 42,
        \t\t"value": "AQI="
        \t},
        \t{
        \t\t"key": "c",
        \t\t"flags": 0,
        \t\t"value": ""
        \t}
        ]
        """)
    #expect(try KVTransfer.pairs(in: Array(exported.utf8), below: "") == pairs)
    #expect(try KVTransfer.pairs(in: Array(exported.utf8), below: "copy/").map(\.key) == ["copy/a/b", "copy/c"])
    #expect(try KVTransfer.pairs(in: Array(exported.utf8), below: "copy").map(\.key) == ["copy/a/b", "copy/c"])
    #expect(KVTransfer.text(of: []) == "[]")
  }

  @Test("What is no export is refused", arguments: [#"{"key": "a"}"#, "[7]", #"[{"value": ""}]"#, "[", "null"])
  func noExport(data: String) {
    #expect(throws: CommandFailure.self) { try KVTransfer.pairs(in: Array(data.utf8), below: "") }
  }

  @Test("Columns are as wide as their widest cell")
  func columns() {
    #expect(Columns.render([["a", "bb", "c"], ["dddd", "", "e"]]) == "a     bb  c\ndddd      e")
    #expect(Columns.render([["a", "b"], ["cc"]], glue: "      ") == "a       b\ncc")
    #expect(Columns.render([]) == "")
  }

  @Test("Members stand in a table: servers first, then by name")
  func members() {
    let members = [
      AgentMember(
        name: "c1", address: "127.0.0.2", port: 8301,
        tags: ["role": "node", "build": "1.21.4:ref", "vsn": "2", "dc": "dc1", "segment": ""], status: 4,
        protocolVersion: 2),
      AgentMember(
        name: "s1", address: "::1", port: 8301,
        tags: ["role": "consul", "build": "1.21.4:ref", "vsn": "2", "dc": "dc1", "segment": ""], status: 1,
        protocolVersion: 2),
    ]
    #expect(
      MembersCommand.table(of: members, isDetailed: false) == """
        Node  Address         Status  Type    Build   Protocol  DC   Partition  Segment
        s1    [::1]:8301      alive   server  1.21.4  2         dc1  default    <all>
        c1    127.0.0.2:8301  failed  client  1.21.4  2         dc1  default    <default>
        """)
    #expect(
      MembersCommand.table(of: members, isDetailed: true).hasSuffix(
        "c1    127.0.0.2:8301  failed  ap=default,build=1.21.4:ref,dc=dc1,role=node,segment=,vsn=2"))
  }

  @Test("Services are listed by name, with their tags in a second column")
  func services() {
    let services = ["web": ["b", "a", "c", "a"], "api": [], "consul": []]
    #expect(CatalogCommands.list(of: services, withTags: false) == "api\nconsul\nweb")
    #expect(
      CatalogCommands.list(of: services, withTags: true) == "api         \nconsul      \nweb         a,b,c")
  }

  @Test("Statistics are listed by section and name")
  func statistics() throws {
    let json = try Dynamic(json: Array(#"{"raft":{"term":"2","state":"Leader"},"agent":{"checks":0}}"#.utf8))
    #expect(InfoCommand.report(json) == "agent:\n\tchecks = 0\nraft:\n\tstate = Leader\n\tterm = 2")
  }

  @Test("Maintenance is listed with its reasons, the node's first")
  func maintenance() throws {
    let json = try Dynamic(
      json: Array(
        #"""
        {"_service_maintenance:web":{"ServiceID":"web","Notes":"fix"},"other":{},
        "_node_maintenance":{"Node":"s1","Notes":"upgrade"}}
        """#.utf8))
    #expect(
      MaintCommand.report(json.object ?? DynamicObject()) == """
        Node:
          Name:   s1
          Reason: upgrade

        Service:
          ID:     web
          Reason: fix

        """)
    #expect(MaintCommand.report(DynamicObject()) == "")
  }

  @Test(
    "A tagged address has a port of its own, or the service's",
    arguments: [
      ("192.0.2.2:80", "192.0.2.2", 80), ("192.0.2.2", "192.0.2.2", 7), ("[2001:db8::1]:80", "2001:db8::1", 80),
      ("[2001:db8::1]", "2001:db8::1", 7), ("2001:db8::1", "2001:db8::1", 7), ("host:1", "host", 1),
    ])
  func taggedAddress(text: String, host: String, port: Int64) throws {
    #expect(
      try ServicesCommands.taggedAddress(text, defaultPort: 7) == ["Address": .string(host), "Port": .int(port)])
  }

  @Test("What is no tagged address is refused", arguments: ["", ":80", "h:x", "h:65536", "[::1]80", "h:-1"])
  func noTaggedAddress(text: String) {
    #expect(throws: CommandFailure.self) { try ServicesCommands.taggedAddress(text, defaultPort: 7) }
  }

  @Test("Help wraps its paragraphs and indents them")
  func help() {
    #expect(Help.wrapped("aaa bb cccc d", width: 6) == ["aaa bb", "cccc d"])
    #expect(Help.wrapped("unbreakable x", width: 4) == ["unbreakable", "x"])
    #expect(Help.wrapped("", width: 4) == [])
    let command = Command(
      usage: "Usage: consul x [options]", about: "About.\n\n    $ example",
      flags: [Flag.string("name", "Its name.").any, Flag.bool("all", "All.").any]
    ) { _ in 0 }
    #expect(
      Help.page(of: command) == """
        Usage: consul x [options]

          About.

              $ example

        Command Options

          -all
             All.

          -name=<string>
             Its name.
        """)
    #expect(
      Help.page(usage: "Usage: consul g <subcommand>", about: "G.", entries: [("a", "First"), ("long", "Second")])
        == """
        Usage: consul g <subcommand>

          G.

        Subcommands:
            a       First
            long    Second
        """)
  }
}
