import Testing

@testable import Wire

@Suite("DNS names and addresses")
struct DNSNameTests {
  @Test(arguments: [
    ("web.service.consul", "web.service.consul."),
    ("web.service.consul.", "web.service.consul."),
    ("WEB.Consul", "WEB.Consul."),
    (".", "."),
    ("", "."),
    (#"a\.b.consul"#, #"a\.b.consul."#),
    (#"a\046b"#, #"a\.b."#),
    (#"a\032b\255"#, #"a\032b\255."#),
    ("größe", #"gr\195\182\195\159e."#),
    (String(repeating: "a", count: 63), String(repeating: "a", count: 63) + "."),
  ])
  func textIsReadAndWritten(text: String, expected: String) throws {
    #expect(try DNSName(text).description == expected)
  }

  @Test(arguments: [
    "a..b", ".a", "a.b..", String(repeating: "a", count: 64), #"a\"#, #"a\25"#, #"a\256"#, #"\1x2"#,
    String(repeating: "abcdefg.", count: 32),
  ])
  func textThatIsNoNameIsRefused(text: String) {
    #expect(throws: DNSMessageError.invalidText(text)) { try DNSName(text) }
  }

  @Test func theLongestNameHas255Bytes() throws {
    let label = String(repeating: "a", count: 63) + "."
    let longest = label + label + label + String(repeating: "b", count: 61)
    #expect(try DNSName(longest).wire.count == 254)
    #expect(throws: DNSMessageError.self) { try DNSName(longest + "b") }
    #expect(try DNSName(longest).prefixed(by: [1]) == nil)
  }

  @Test func ancestorsAreFoundAtLabelBoundariesOnly() throws {
    let domain = try DNSName("Consul")
    #expect(try DNSName("web.CONSUL").isWithin(domain))
    #expect(try DNSName("consul").isWithin(domain))
    #expect(try !DNSName("notconsul").isWithin(domain))
    #expect(try !DNSName("consul.test").isWithin(domain))
    #expect(try DNSName("anything").isWithin(.root))
    #expect(try DNSName("A.b").isEqual(to: DNSName("a.B")))
    #expect(try DNSName("A.b") != DNSName("a.b"))
  }

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:db8::1", "2001:db8::1"),
    ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "192.0.2.1"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
  ])
  func addressesAreReadAndWritten(text: String, expected: String) {
    #expect(DNSAddress(text)?.description == expected)
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "a.b.c.d", ".1.2.3", "1.2.3.", "1..2.3",
    ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "fe80::1%eth0",
    "[::1]", "1:2:3:4:5:6:7:8::", "1.2.3.4::", "www.example.test", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5",
  ])
  func textThatIsNoAddressIsRefused(text: String) {
    #expect(DNSAddress(text) == nil)
  }

  @Test(arguments: [
    ("c0000201", DNSAddress.v4(0xC000_0201)), ("C0000201", .v4(0xC000_0201)),
    ("20010db8000000000000000000000006", .v6(0x2001_0DB8_0000_0000, 6)),
  ])
  func addressesAreReadFromHexadecimalLabels(label: String, address: DNSAddress) {
    #expect(DNSAddress(hexadecimalLabel: label.utf8) == address)
    var written: [UInt8] = []
    address.hexadecimalLabel { written.append($0) }
    #expect(String(decoding: written, as: UTF8.self) == label.lowercased())
  }

  @Test(arguments: ["7f00001", "zzzzzzzz", "", "c00002011", "20010db800000000000000000000000g"])
  func otherLabelsAreNoAddresses(label: String) {
    #expect(DNSAddress(hexadecimalLabel: label.utf8) == nil)
  }
}
