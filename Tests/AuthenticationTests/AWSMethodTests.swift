import Model
import Testing

@testable import Authentication

@Suite struct AWSMethodTests {
  private let now = TestIssuer.now
  private let signer = AWSRequestSigner(
    accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    sessionToken: Secret(), region: "us-east-1")

  private func bearer(_ options: AWSRequestSigner.Options = .init(), _ script: Script = Script()) throws -> String {
    try script.run(signer.bearerToken(options, now: now)).0.get().revealed
  }

  private func method(_ more: (key: String, value: Dynamic)...) throws -> AWSMethod {
    var members = DynamicObject([("BoundIAMPrincipalARNs", ["arn:aws:iam::123456789012:role/MyRole"])])
    for (key, value) in more { members[key] = value }
    return try AWSMethod(DynamicMap(members))
  }

  private static func caller(_ arn: String, id: String = "AROA1:session") -> String {
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>\(arn)</Arn><UserId>\(id)</UserId>"
      + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
  }

  private static let role = caller("arn:aws:sts::123456789012:assumed-role/MyRole/session")

  /// `post-x-www-form-urlencoded` of the published test suite of the signature.
  @Test func `Requests are signed as AWS documents it`() {
    let signed = signer.sign(
      "Param1=value1", to: "https://example.amazonaws.com/", service: "service", region: "us-east-1", more: [],
      now: Timestamp(unixSeconds: 1_440_938_160))
    let authorization = signed.headers.first { $0.name == "Authorization" }?.value ?? ""
    #expect(
      authorization
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=content-type;host;x-amz-date, "
        + "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")
    #expect(signed.headers.contains { $0.name == "X-Amz-Date" && $0.value == "20150830T123600Z" })
  }

  @Test func `AWS is asked with the client's request who it is`() throws {
    var script = Script()
    script.answer(.post, "https://sts.us-east-1.amazonaws.com/", Self.role)
    let (result, asked) = script.run(try method().identify(try bearer()))
    #expect(
      try result.get().variables
        == ["entity_name": "MyRole", "entity_id": "AROA1", "account_id": "123456789012"])
    #expect(asked.count == 1 && String(decoding: asked[0].body, as: UTF8.self).hasPrefix("Action=GetCallerIdentity"))
    #expect(asked[0].headers.contains { $0.name == "authorization" && $0.value.hasPrefix("AWS4-HMAC-SHA256") })
  }

  @Test func `Somebody else is refused, also if AWS knows them`() throws {
    var script = Script()
    script.answer(
      .post, "https://sts.us-east-1.amazonaws.com/", Self.caller("arn:aws:sts::123456789012:assumed-role/Other/s"))
    #expect(
      script.run(try method().identify(try bearer())).0.failure?.description
        == "IAM principal arn:aws:iam::123456789012:role/Other does not match any BoundIAMPrincipalARNs")
    script.answers[0].response = .success(OutboundResponse(status: 403, body: []))
    #expect(script.run(try method().identify(try bearer())).0.failure?.description.contains("error code 403") == true)
  }

  @Test func `Details of a role come with its path and tags, and must be about the caller`() throws {
    let detailed = try method(
      ("BoundIAMPrincipalARNs", ["arn:aws:iam::123456789012:role/path/*"]), ("EnableIAMEntityDetails", true),
      ("IAMEntityTags", ["team", "absent"]))
    var script = Script()
    script.answer(.post, "https://sts.us-east-1.amazonaws.com/", Self.role)
    script.answer(
      .post, "https://iam.amazonaws.com/",
      "<GetRoleResponse><Role><Path>/path/</Path><Arn>arn:aws:iam::123456789012:role/path/MyRole</Arn>"
        + "<RoleId>AROA1</RoleId><Tags><member><Key>team</Key><Value>a&amp;b</Value></member></Tags></Role></GetRoleResponse>"
    )
    var options = AWSRequestSigner.Options()
    options.includesEntity = true
    let token = try bearer(options, script)
    let variables = try script.run(detailed.identify(token)).0.get().variables
    #expect(variables["entity_path"] == "/path/")
    #expect(variables["entity_tags.team"] == "a&b" && variables["entity_tags.absent"] == "")
    script.answers[0].response = .success(
      OutboundResponse(
        status: 200,
        body: Array(Self.caller("arn:aws:sts::123456789012:assumed-role/MyRole/s", id: "AROA2:s").utf8)))
    #expect(script.run(detailed.identify(token)).0.failure?.description == "unique id mismatch in login token")
    #expect(script.run(detailed.identify(try bearer())).0.failure?.description.contains("-aws-include-entity") == true)
  }

  @Test func `A server that names itself is named in the signed request`() throws {
    let named = try method(("ServerIDHeaderValue", "prod"))
    var script = Script()
    script.answer(.post, "https://sts.us-east-1.amazonaws.com/", Self.role)
    #expect(script.run(named.identify(try bearer())).0.failure?.description.contains("X-Consul-IAM-ServerID") == true)
    var options = AWSRequestSigner.Options()
    options.serverID = "prod"
    #expect(script.run(named.identify(try bearer(options))).0.failure == nil)
  }

  @Test(arguments: [
    "http://sts.amazonaws.com/", "https://sts.amazonaws.com.evil.example/", "https://evil.example/",
    "https://sts.amazonaws.com@evil.example/", "https://evil.example@sts.amazonaws.com/",
    "https://sts.amazonaws.com/path", "https://s3.amazonaws.com/", "https://evil.example/.amazonaws.com",
    "https://sts.us-east-1.evil.amazonaws.com.evil/", "https://iam.amazonaws.com/",
  ])
  func `Nobody but AWS is asked`(_ url: String) throws {
    let token: Dynamic = [
      "iam_http_request_method": "POST", "iam_request_url": .string(Base64.encode(Array(url.utf8))),
      "iam_request_headers": .string(Base64.encode(Array("{}".utf8))),
      "iam_request_body": .string(Base64.encode(Array("Action=GetCallerIdentity&Version=2011-06-15".utf8))),
    ]
    let (result, asked) = Script().run(try method().identify(token.json))
    #expect(result.failure?.description.hasPrefix("invalid url: ") == true && asked.isEmpty)
  }

  @Test(arguments: [
    ("junk", "invalid token: invalid character 'j' looking for beginning of value"),
    ("{}", "iam_http_request_method must be POST"),
    (#"{"iam_http_request_method":"POST"}"#, "missing iam_request_url"),
    (#"{"iam_http_request_method":"POST","iam_request_url":"!"}"#, "failed to base64 decode iam_request_url"),
  ])
  func `What is no signed request says why`(_ token: String, _ expected: String) throws {
    #expect(Script().run(try method().identify(token)).0.failure?.description == expected)
  }

  @Test(arguments: [
    (settings(), "BoundIAMPrincipalARNs is required and must have at least 1 entry"),
    (settings(("BoundIAMPrincipalARNs", ["junk"])), "Invalid principal ARN: \"junk\""),
    (
      settings(("BoundIAMPrincipalARNs", ["*"]), ("EnableIAMEntityDetails", true)),
      "Invalid principal ARN: \"*\""
    ),
    (
      settings(("BoundIAMPrincipalARNs", ["arn:aws:iam::123456789012:role/*"])),
      "Must set EnableIAMEntityDetails=true to use wildcards in BoundIAMPrincipalARNs"
    ),
    (
      settings(("BoundIAMPrincipalARNs", ["arn:aws:iam::123456789012:role/a"]), ("IAMEntityTags", ["t"])),
      "Must set EnableIAMEntityDetails=true to use IAMUserTags"
    ),
  ])
  func `Settings that break a rule say which`(_ settings: DynamicMap, _ expected: String) throws {
    #expect(throws: AuthenticationError.setting(expected)) { try AWSMethod(settings) }
  }
}
