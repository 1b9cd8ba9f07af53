import Crypto
import Foundation
import Model
import Testing
import X509

@testable import Authentication

@Suite struct KubernetesMethodTests {
  private static let authority: String = {
    let key = P256.Signing.PrivateKey()
    let now = Date(timeIntervalSince1970: 1_795_291_200)
    let name = try? DistinguishedName { CommonName("ca") }
    guard let name,
      let certificate = try? Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey), notValidBefore: now,
        notValidAfter: now.addingTimeInterval(3600), issuer: name, subject: name,
        signatureAlgorithm: .ecdsaWithSHA256, extensions: Certificate.Extensions(), issuerPrivateKey: .init(key)),
      let pem = try? certificate.serializeAsPEM().pemString
    else { return "" }
    return pem
  }()

  private static func full(_ more: (key: String, value: Dynamic)...) throws -> DynamicMap {
    var members = DynamicObject([
      ("Host", "https://k8s:6443/"), ("CACert", .string(authority)),
      ("ServiceAccountJWT", .string(try TestIssuer.shared.token(["sub": "reviewer"]))),
    ])
    for (key, value) in more { members[key] = value }
    return DynamicMap(members)
  }

  private let review = "https://k8s:6443/apis/authentication.k8s.io/v1/tokenreviews"
  private let lookup = "https://k8s:6443/api/v1/namespaces/default/serviceaccounts/web"

  private func login(_ script: Script) throws -> (Result<Identity, AuthenticationError>, [OutboundRequest]) {
    let method = try KubernetesMethod(try Self.full())
    return script.run(method.identify(try TestIssuer.shared.token(["sub": "web"])))
  }

  @Test func `The API server is asked whose token it is, and for the name of its service`() throws {
    var script = Script()
    script.answer(
      .post, review,
      #"{"status":{"authenticated":true,"user":{"username":"system:serviceaccount:default:web","uid":"7"}}}"#,
      status: 201)
    script.answer(.get, lookup, #"{"metadata":{"name":"web","annotations":{}}}"#)
    let (result, asked) = try login(script)
    #expect(
      try result.get().variables == [
        "serviceaccount.namespace": "default", "serviceaccount.name": "web", "serviceaccount.uid": "7",
      ])
    #expect(asked.map(\.url) == [review, lookup])
    #expect(asked.allSatisfy { $0.trust == .authorities(Self.authority) })
    #expect(asked.allSatisfy { $0.headers.contains { $0.name == "Authorization" && $0.value.hasPrefix("Bearer ey") } })
    #expect(String(decoding: asked[0].body, as: UTF8.self).contains("\"kind\":\"TokenReview\""))

    script.answers[1].response = .success(
      OutboundResponse(
        status: 200,
        body: Array(#"{"metadata":{"annotations":{"consul.hashicorp.com/service-name":"renamed"}}}"#.utf8)))
    #expect(try login(script).0.get().variables["serviceaccount.name"] == "renamed")
  }

  @Test(arguments: [
    (201, #"{"status":{"error":"the review failed"}}"#, "lookup failed: the review failed"),
    (201, #"{"status":{"authenticated":false}}"#, "lookup failed: service account jwt not valid"),
    (201, #"{"status":{"authenticated":true,"user":{"username":"ada"}}}"#, "lookup failed: unexpected username format"),
    (
      201, #"{"status":{"authenticated":true,"user":{"username":"system:serviceaccount:..:web"}}}"#,
      "lookup failed: unexpected username format"
    ),
    (401, #"{"kind":"Status","message":"Unauthorized"}"#, "Unauthorized"), (500, "oops", "500"),
    (200, "oops", "the answer of the Kubernetes API is not JSON"),
  ])
  func `What the API server refuses is refused`(_ status: Int, _ answer: String, _ expected: String) throws {
    var script = Script()
    script.answer(.post, review, answer, status: status)
    #expect(try login(script).0.failure?.description == expected)
  }

  @Test func `A service account that is gone is refused`() throws {
    var script = Script()
    script.answer(
      .post, review, #"{"status":{"authenticated":true,"user":{"username":"system:serviceaccount:default:web"}}}"#)
    script.answer(.get, lookup, #"{"message":"serviceaccounts \"web\" not found"}"#, status: 404)
    #expect(
      try login(script).0.failure?.description == "annotation lookup failed: serviceaccounts \"web\" not found")
  }

  @Test func `Nothing is asked about what is no token`() throws {
    let (result, asked) = Script().run(try KubernetesMethod(try Self.full()).identify("junk"))
    #expect(result.failure?.description.hasPrefix("failed to parse and validate JWT: ") == true && asked.isEmpty)
  }

  @Test(arguments: [
    ("Host", Dynamic.null, "Config.Host is required"), ("CACert", .null, "Config.CACert is required"),
    ("CACert", "junk", "error parsing kubernetes ca cert"),
    ("ServiceAccountJWT", .null, "Config.ServiceAccountJWT is required"),
    ("ServiceAccountJWT", "junk", "Config.ServiceAccountJWT is not a valid JWT: "),
    ("Bogus", 1, "'' has invalid keys: Bogus"),
  ])
  func `Settings that break a rule say which`(_ name: String, _ value: Dynamic, _ expected: String) throws {
    let error = #expect(throws: AuthenticationError.self) { try KubernetesMethod(try Self.full((name, value))) }
    #expect(try #require(error).description.contains(expected))
  }
}
