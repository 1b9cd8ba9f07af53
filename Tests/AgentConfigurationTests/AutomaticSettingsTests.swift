import Model
import Testing

@testable import AgentConfiguration

/// Settings that servers give an agent, and the token that introduces it.
@Suite struct AutomaticSettingsTests {
  private static let client = """
    auto_config { enabled = true intro_token = "own" intro_token_file = "own-file" server_addresses = ["10.0.0.1"] }
    tls { defaults { ca_file = "ca.pem" verify_outgoing = true } }
    """

  private static func host(_ variables: [String: String]) -> HostEnvironment {
    var host = HostEnvironment.fake()
    host.variable = { variables[$0] }
    return host
  }

  @Test(
    arguments: [
      ([:], "own", "own-file"), (["CONSUL_INTRO_TOKEN": "env"], "env", "own-file"),
      (["CONSUL_INTRO_TOKEN": ""], "own", "own-file"), (["CONSUL_INTRO_TOKEN_FILE": "env-file"], "own", "env-file"),
    ] as [([String: String], String, String)])
  func theEnvironmentIntroducesBeforeFiles(_ variables: [String: String], _ token: String, _ file: String) throws {
    let loaded = try load(Self.client, host: Self.host(variables)).configuration.autoConfig
    #expect(loaded.introToken == token && loaded.introTokenFile == file)
  }

  @Test func aTokenOfTheEnvironmentIsEnough() throws {
    let text = Self.client.replacing("intro_token = \"own\" intro_token_file = \"own-file\"", with: "")
    #expect(throws: ConfigurationError.self) { try load(text) }
    #expect(try load(text, host: Self.host(["CONSUL_INTRO_TOKEN": "env"])).configuration.autoConfig.introToken == "env")
  }

  @Test func certificatesForAgentsNeedTheMesh() throws {
    let without = "connect { enabled = false }"
    #expect(try load("\(Self.client)\n\(without)").configuration.connect.enabled)
    #expect(try !load(without).configuration.connect.enabled)
    let server = """
      server = true bootstrap = true connect { enabled = false }
      auto_config { authorization { enabled = true static { jwks_url = "https://issuer/keys" } } }
      """
    #expect(try load(server).configuration.connect.enabled)
  }

  @Test func whatServersSayCountsWhereTheAgentSaysNothing() throws {
    var flags = AgentFlags()
    flags.fragments = [
      "data_dir = \"/tmp/x\" bind_addr = \"127.0.0.1\"", "acl { default_policy = \"allow\" } retry_join = [\"own\"]",
    ]
    var loader = ConfigurationLoader(flags: flags, host: .fake())
    loader.automatic["acl.enabled"] = true
    loader.automatic["acl.default_policy"] = "deny"
    loader.automatic["acl.tokens.agent"] = "token"
    loader.automatic["retry_join"] = ["theirs"]
    let loaded = try loader.load().configuration
    #expect(loaded.acl.enabled && loaded.acl.tokens.agent == "token" && loaded.acl.defaultPolicy == "allow")
    #expect(loaded.join.lan == ["theirs", "own"])
  }
}
