import AgentConfiguration
import Model
import Server
import Testing

@testable import Agent

@Suite struct AgentIntroductionTests {
  @Test(arguments: [
    ("10.0.0.1", "10.0.0.1:8300"), ("10.0.0.1:9300", "10.0.0.1:9300"), ("server.example", "server.example:8300"),
    ("server.example:1", "server.example:1"), ("::1", "[::1]:8300"), ("[::1]", "[::1]:8300"), ("[::1]:9", "[::1]:9"),
  ])
  func aServerWithoutAPortListensWhereThisAgentWould(_ text: String, _ expected: String) {
    #expect(Introduction.address(text, port: 8300) == expected)
  }

  @Test func whatServersLeaveOpenStaysWithTheAgent() {
    var settings = AutoConfigSettings()
    #expect(settings.values.paths.isEmpty)
    settings.datacenter = "dc1"
    settings.acl = .init()
    settings.acl?.downPolicy = "extend-cache"
    settings.acl?.tokens = .init()
    settings.acl?.tokens?.agent = "secret"
    settings.gossip = .init()
    settings.gossip?.encryption = .init()
    settings.tls = .init()
    settings.tls?.verifyServerHostname = true
    let values = settings.values
    #expect(
      values.paths == [
        "acl.down_policy", "acl.enable_key_list_policy", "acl.enable_token_persistence", "acl.enabled",
        "acl.tokens.agent", "datacenter", "tls.internal_rpc.verify_server_hostname",
      ])
    #expect(values.string("acl.tokens.agent") == "secret" && !values.bool("acl.enabled"))
  }
}
