import Testing

@testable import Model

@Suite struct NetworkTests {
  @Test(arguments: [
    ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("127.0.0.1/32", "127.0.0.1", true),
    ("127.0.0.0/31", "127.0.0.1", true), ("127.0.0.0/31", "127.0.0.2", false), ("0.0.0.0/0", "8.8.8.8", true),
    ("fd00::/8", "fd12::1", true), ("fd00::/8", "fe80::1", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true),
  ])
  func networksHaveAddresses(_ network: String, _ address: String, _ contained: Bool) throws {
    #expect(try #require(CIDR(network)).contains(try #require(IPAddress(address))) == contained)
  }

  @Test(arguments: ["10.0.0.0/33", "x", "10.0.0.0/", "10.0.0.0/-1", "", "10.0.0.0/+1", "10.0.0.0/8/8"])
  func textsThatAreNoNetworks(_ text: String) { #expect(CIDR(text) == nil) }
}
