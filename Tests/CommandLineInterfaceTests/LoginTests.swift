import Glibc
import Model
import Testing

@testable import CommandLineInterface

@Suite struct LoginTests {
  /// What a browser gets for a request to the listener.
  private static func visit(_ port: UInt16, _ host: String, _ target: String) -> String {
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    inet_pton(AF_INET, host, &place.sin_addr)
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    let connected = withUnsafePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { return "" }
    let request = Array("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)
    _ = request.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 { answer += buffer[..<count] }
    return String(decoding: answer, as: UTF8.self)
  }

  @Test func `The listener waits for the visit that carries the code`() async throws {
    let host = "127.91.1.1"
    let listener = try CallbackListener("\(host):8550")
    defer { listener.close() }
    async let callback = listener.wait(.seconds(60))
    #expect(Self.visit(8550, host, "/favicon.ico").hasPrefix("HTTP/1.1 404"))
    #expect(Self.visit(8550, host, "/oidc/callback?state=s").hasPrefix("HTTP/1.1 400"))
    #expect(Self.visit(8550, host, "/oidc/callback?state=st_1&code=a%2Fb+c").hasPrefix("HTTP/1.1 200"))
    let found = try await callback
    #expect(found.state == "st_1" && found.code == Secret("a/b c"))
  }

  @Test func `A refusal of the provider ends the login with its words`() async throws {
    let host = "127.91.1.2"
    let listener = try CallbackListener("\(host):8550")
    defer { listener.close() }
    async let callback = listener.wait(.seconds(60))
    #expect(
      Self.visit(8550, host, "/oidc/callback?error=access_denied&error_description=not+today").hasPrefix("HTTP/1.1 400")
    )
    do {
      _ = try await callback
      Issue.record("the login went on")
    } catch let failure as CommandFailure {
      #expect(failure.text == "Error logging in: the provider refused: not today")
    }
  }

  @Test(arguments: ["", "localhost", "localhost:x", "192.0.2.1:8550", "example.com:8550", "localhost:70000"])
  func `Only this machine is listened on`(_ address: String) {
    #expect(throws: CommandFailure.self) { try CallbackListener(address) }
  }

  @Test func `The file of a token is for its owner only, also if it was there before`() throws {
    let path = "/tmp/proconsul-sink-\(Identifier.random())"
    defer { unlink(path) }
    close(open(path, O_CREAT | O_WRONLY, 0o644))
    try SecretFile.write(Secret("a-secret"), to: path)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600 && status.st_size == 8)
    #expect(throws: (any Error).self) { try SecretFile.write(Secret("x"), to: "/nowhere/at/all") }
  }

  @Test func `Methods and rules are printed as they are given`() {
    var method = ACLAuthMethod()
    (method.name, method.type, method.maxTokenTTL) = ("m", "jwt", .minutes(5))
    method.config["JWKSURL"] = "http://idp"
    method.config["ClaimMappings"] = ["sub": "user"]
    #expect(
      ACLAuthMethodFormat.text(method, showsMeta: false) == """
        Name:          m
        Type:          jwt
        Description:   
        MaxTokenTTL:   5m0s
        Config:
        {
          "ClaimMappings": {
            "sub": "user"
          },
          "JWKSURL": "http://idp"
        }
        """)
    var rule = ACLBindingRule()
    (rule.authMethod, rule.bindType, rule.bindName) = ("m", "templated-policy", "builtin/service")
    rule.bindVars = ACLTemplatedPolicyVariables(name: "api")
    #expect(ACLAuthMethodFormat.json(rule)["BindVars"]?["Name"]?.string == "api")
    #expect(ACLAuthMethodFormat.text([rule], showsMeta: false).contains("   BindVars:\n      Name: api\n"))
  }
}
