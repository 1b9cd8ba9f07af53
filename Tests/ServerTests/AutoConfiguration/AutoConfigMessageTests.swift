import Model
import NIOCore
import Testing

@testable import Server

@Suite struct AutoConfigMessageTests {
  private var response: AutoConfigResponse {
    var response = AutoConfigResponse()
    response.config.datacenter = "dc1"
    response.config.nodeName = "web-1"
    response.config.acl = .init()
    response.config.acl?.enabled = true
    response.config.acl?.tokens = .init()
    response.config.acl?.tokens?.agent = "secret"
    response.config.gossip = .init()
    response.config.gossip?.encryption = .init()
    response.config.gossip?.encryption?.key = "a2V5"
    response.config.gossip?.retryJoinLAN = ["10.0.0.1:8301"]
    response.config.tls = .init()
    response.config.tls?.verifyServerHostname = true
    var root = CARoot()
    root.id = "a"
    root.serialNumber = 7
    root.rootCert = "pem"
    root.intermediateCerts = ["one", "two"]
    root.notBefore = Timestamp(unixSeconds: 1_795_291_200, nanoseconds: 5)
    root.active = true
    root.privateKeyBits = 256
    (root.createIndex, root.modifyIndex) = (8, 9)
    response.caRoots.activeRootID = "a"
    response.caRoots.roots = [Row(root)]
    var issued = IssuedCertificate()
    issued.certPEM = "certificate"
    issued.agent = "web-1"
    issued.validBefore = Timestamp(unixSeconds: 1_795_291_300)
    response.certificate = issued
    response.extraCACertificates = ["authority"]
    return response
  }

  @Test func whatIsSentIsWhatArrives() throws {
    let arrived = try AutoConfigAnswer(decoding: .messagePack(AutoConfigAnswer(response))).message
    #expect(arrived == response)
    var request = AutoConfigRequest()
    request.node = "web-1"
    request.jwt = "a.b.c"
    var call = AutoConfigCall(request)
    call.datacenter = "dc1"
    call.token = "t"
    let read = try AutoConfigCall(decoding: .messagePack(call)).message
    #expect(read.node == "web-1" && read.jwt == "a.b.c" && read.datacenter == "dc1" && read.consulToken == "t")
  }

  @Test func messagesHaveTheReferencesFieldNumbers() throws {
    var request = AutoConfigRequest()
    (request.datacenter, request.node, request.jwt, request.csr) = ("d", "n", "j", "c")
    let bytes = ByteBuffer.messagePack(AutoConfigCall(request))
    // A text of twelve bytes: fields 1, 2, 5 and 7.
    #expect(
      Array(bytes.readableBytesView) == [0xAC] + Array("\u{0A}\u{01}d\u{12}\u{01}n\u{2A}\u{01}j\u{3A}\u{01}c".utf8))
  }

  @Test func aKeyStaysWithTheAgentThatMadeIt() throws {
    var kept = response
    kept.certificate?.privateKeyPEM = Secret("key")
    let sent = try AutoConfigAnswer(decoding: .messagePack(AutoConfigAnswer(kept))).message
    #expect(sent.certificate?.privateKeyPEM.isEmpty == true)
    // Its own file has it.
    var writer = JSONWriter()
    kept.encodeJSON(&writer, [])
    #expect(try AutoConfigResponse(json: writer.finish()) == kept)
  }

  @Test(arguments: [[0xC0], [0x80], [0xA1, 0x0A], [0xA2, 0x0A, 0x7F], [0xA3, 0xFF, 0xFF, 0xFF]] as [[UInt8]])
  func garbageIsRefusedOrEmpty(_ bytes: [UInt8]) {
    let call = try? AutoConfigCall(decoding: ByteBuffer(bytes: bytes))
    #expect(call.map { $0.message == AutoConfigRequest() } ?? true)
  }
}
