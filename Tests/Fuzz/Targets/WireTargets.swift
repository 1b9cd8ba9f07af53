import Model

@testable import HTTPAPI
@testable import State
@testable import Wire

/// DNS queries.
struct DNSTarget: FuzzTarget {
  let name = "dns"
  let tokens = ["consul", "service", "\u{4}node", "\u{3}web", "\u{C0}\u{C}"]

  var corpus: [[UInt8]] {
    ["web.service.consul", "_web._tcp.service.dc1.consul", "1.2.0.192.in-addr.arpa", "."].flatMap { name in
      [DNSRecordType.a, .srv, .any].compactMap { type in
        guard let name = try? DNSName(name) else { return nil }
        return DNSQuery(
          id: 7, flags: [.recursionDesired], question: DNSQuestion(name: name, type: type),
          extension: DNSExtension(
            payloadSize: 1232, wantsSecurity: true,
            clientSubnet: DNSClientSubnet(address: .v4(0xC000_0200), sourcePrefix: 24))
        ).encoded()
      }
    }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    input.withUnsafeBytes { bytes in
      var reader = DNSMessageReader(bytes)
      let records: Int =
        (try? reader.readHeader()).map { header in
          if (try? reader.readQuestion()) == nil { return -1 }
          let count = Int(header.answerCount) + Int(header.authorityCount) + Int(header.additionalCount)
          return (0..<min(count, 100)).prefix { _ in (try? reader.skipRecord()) != nil }.count
        } ?? -2
      switch DNSRequest(bytes) {
      case .query(let query):
        return .accepted("\(query.question.type) \(query.question.name.labels.count) \(records)")
      case .ignore: return .refused("ignored \(records)")
      case .refuse(_, _, let code): return .refused("\(code) \(records)")
      }
    }
  }
}

/// Entries of the log.
struct MessagePackTarget: FuzzTarget {
  let name = "messagepack"
  let tokens = ["\u{A3}Key", "Value", "Node", "Service", "Checks", "Verb", "Op", "Datacenter"]

  var corpus: [[UInt8]] {
    var registration = RegisterRequest()
    (registration.node, registration.address, registration.nodeMeta) = ("n", "a", ["k": "v"])
    registration.service = NodeService()
    registration.checks = [HealthCheck(), HealthCheck()]
    var kvs = KVSRequest()
    (kvs.op, kvs.dirEnt.key, kvs.dirEnt.value) = ("set", "a/b", Bytes([0, 255]))
    var session = SessionRequest()
    (session.op, session.session.id, session.session.node) = ("create", "s", "n")
    var op = TxnOp()
    op.kv = TxnKVOp()
    var transaction = TxnRequest()
    transaction.ops = [op, TxnOp()]
    var query = PreparedQueryRequest()
    query.op = "create"
    let commands: [Command] = [
      .register(registration), .kvs(kvs), .session(session), .txn(transaction), .preparedQuery(query),
      .deregister(DeregisterRequest()), .tombstone(TombstoneRequest()), .coordinates([NodeCoordinate()]),
      .autopilot(AutopilotSetConfigRequest()), .intention(IntentionRequest()),
      .configEntry(ConfigEntryRequest(.upsert, ConfigEntry(ServiceDefaults(name: "web")))),
      .configEntry(ConfigEntryRequest(.delete, ConfigEntry(ProxyDefaults(name: "global")))),
    ]
    return commands.map { $0.encode() }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    do {
      let command = try Command(decoding: input)
      let encoded = command.encode()
      if case .ignored = command { return .accepted("ignored") }
      guard let again = try? Command(decoding: encoded), again.encode() == encoded else {
        throw BrokenPromise(what: "a command changes when it is logged again: \(command)")
      }
      let store = try? Fixture.store()
      let result = store?.apply(index: 100, command)
      if case .failed(let reason) = result { return .accepted("\(command.type) failed \(reason.prefix(12))") }
      return .accepted("\(command.type)")
    } catch let error as BrokenPromise {
      throw error
    } catch {
      return .refused(by: error)
    }
  }
}

/// Heads and chunked bodies of HTTP requests.
struct RequestTarget: FuzzTarget {
  let name = "http"
  let tokens = [
    "\r\n", "\r\n\r\n", ": ", "Content-Length: ", "Transfer-Encoding: chunked", "Expect: 100-continue", "Host: a",
    "%2F",
    "%", "?", "&", "=", " HTTP/1.0", "0\r\n\r\n", "ffffffffffffffff\r\n", "Connection: close",
  ]

  var corpus: [[UInt8]] {
    [
      "GET /v1/kv/a%20b?recurse&index=7&token=x HTTP/1.1\r\nHost: a\r\nX-Consul-Token: t\r\nAccept-Encoding: gzip;q=0.5\r\n\r\n",
      "PUT /v1/kv/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
      "POST //v1/../x HTTP/1.0\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
    ].map { Array($0.utf8) }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    let whole = outcome(input)
    // However the bytes come in, they mean the same.
    if input.count > 2, case .accepted(let what) = whole, what != "incomplete" {
      let half = input.prefix(input.count / 2)
      let scanned = half.withUnsafeBytes { bytes in
        if case .incomplete(let scanned) = RequestParser.parse(bytes) { return scanned }
        return 0
      }
      let again = input.withUnsafeBytes { RequestParser.parse($0, scanned: scanned) }
      if case .head = again {} else { throw BrokenPromise(what: "a request that comes in two parts is not understood") }
    }
    return whole
  }

  private func outcome(_ input: [UInt8]) -> Outcome {
    input.withUnsafeBytes { bytes in
      switch RequestParser.parse(bytes) {
      case .incomplete: return .accepted("incomplete")
      case .failed(let error): return .refused(by: error)
      case .head(let head, let length):
        var text = "\(head.method) \(head.body == .chunked) \(head.keepAlive)"
        text += " \(PercentEncoding.decode(head.path.bytes(in: bytes)) != nil)"
        if head.hasQuery { text += " \(QueryParameters(head.query.bytes(in: bytes)) != nil)" }
        text += " \(RequestPath.clean(head.path.text(in: bytes)).hasPrefix("/"))"
        if head.body == .chunked {
          var decoder = ChunkedDecoder()
          let rest = UnsafeRawBufferPointer(rebasing: bytes[length...])
          text += (try? decoder.feed(rest) { _ in }).map { _ in " chunks \(decoder.isDone)" } ?? " no chunks"
        }
        return .accepted(text)
      }
    }
  }
}
