import AccessControl
import Model
import NIOCore
import Server

/// `/v1/txn`: several operations, all or none.
extension Endpoints {
  static let transactions: [Endpoint] = [
    Endpoint("/v1/txn", .ignoresNamespace, Route(.put, .servers, bodyLimit: .transaction, Transactions.put))
  ]
}

enum Transactions {
  static func put(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let body = try TransactionBody(
      try request.json(failure: TransactionBody.failure), valueLimit: api.settings.kvValueLimit)
    if body.isWrite {
      exchange.write(TxnApply(body.ops), datacenter: request.datacenter) { outcome in
        TransactionAnswer(outcome, to: body).send(exchange)
      }
    } else {
      var options = try request.readOptions(exchange)
      // Transactions cannot be waited for.
      options.minIndex = 0
      exchange.read(TxnRead(body.ops), options) { answer in
        TransactionAnswer(answer.value, to: body, readAs: answer).send(exchange)
      }
    }
  }
}

/// The operations that a request names.
struct TransactionBody: Sendable {
  static let operationLimit = 128
  static let failure = "Failed to parse body: "

  private(set) var ops: [TxnOp] = []
  /// Where in the request each of them stands: those that do nothing are left out.
  private(set) var places: [Int] = []

  /// Whether the operations have to go through the log.
  var isWrite: Bool { ops.contains { $0.isWrite } }

  /// - Parameter valueLimit: bytes that the value of a key may have.
  /// - Throws: 400 for what is no list of operations, 413 for too much of it.
  init(_ value: Dynamic, valueLimit: Int) throws(HTTPError) {
    let elements: [Dynamic]
    switch value {
    case .array(let list): elements = list
    case .null: elements = []
    default:
      let mismatch = DecodingError.mismatch(path: "", found: value.typeName, expected: "")
      throw .badRequest(Self.failure + mismatch.apiText("api.TxnOps"))
    }
    let operations = try Self.operations(elements)
    if operations.count > Self.operationLimit {
      throw HTTPError(
        .contentTooLarge,
        "Transaction contains too many operations (\(operations.count) > \(Self.operationLimit))")
    }
    for (place, operation) in operations.enumerated() {
      if let kv = operation.kv, kv.value.count > valueLimit {
        throw HTTPError(
          .contentTooLarge,
          "Value for key \(kv.key.goQuoted) is too large (\(kv.value.count) > \(valueLimit) bytes)")
      }
      guard let op = operation.op else { continue }
      ops.append(op)
      places.append(place)
    }
  }

  private static func operations(_ elements: [Dynamic]) throws(HTTPError) -> [TransactionOperation] {
    var operations: [TransactionOperation] = []
    operations.reserveCapacity(elements.count)
    for (place, element) in elements.enumerated() {
      if case .null = element { throw .badRequest(failure + "operation \(place) is null") }
      guard element.object != nil else {
        let mismatch = DecodingError.mismatch(path: "", found: element.typeName, expected: "")
        throw .badRequest(failure + mismatch.apiText(TransactionOperation.schema.name))
      }
      do throws(DecodingError) {
        let context = DecodingContext(.api, refusesUnknown: true, path: String(place))
        operations.append(try TransactionOperation(from: element, context))
      } catch {
        throw .badRequest(failure + text(of: error))
      }
    }
    return operations
  }

  /// Text that is not base64 is told as a value of the wrong type, with the reason behind it.
  private static func text(of error: DecodingError) -> String {
    guard case .invalid(let path, let reason) = error, path.hasSuffix(".KV.Value") else { return error.apiText("") }
    return DecodingError.mismatch(path: path, found: "string", expected: "[]uint8").apiText("") + ": " + reason
  }
}

/// What a client is told of its transaction.
struct TransactionAnswer {
  private let response: TxnResponse
  private let places: [Int]
  /// The first right that was missing.
  private let denied: AccessRefusal?
  private let isFiltered: Bool
  /// Where a read comes from; nil for writes.
  private let read: (index: UInt64, knownLeader: Bool, lastContactMilliseconds: UInt64)?

  init(_ outcome: TxnOutcome, to body: TransactionBody, readAs answer: Answer<TxnOutcome>? = nil) {
    response = outcome.response
    places = body.places
    denied = outcome.response.errors.lazy.compactMap { AccessRefusal(described: $0.what) }.first
    isFiltered = answer?.isFiltered ?? false
    // What was refused by its looks never met the state.
    read = answer.map { $0.knownLeader ? ($0.index, true, $0.lastContactMilliseconds) : (0, false, 0) }
  }

  func send(_ exchange: Exchange) {
    exchange.json(head) { write(to: &$0) }
  }

  var head: ResponseHead {
    var head = ResponseHead(response.errors.isEmpty ? .ok : .conflict)
    if let read {
      head.headers.append(("X-Consul-Knownleader", read.knownLeader ? "true" : "false"))
      head.headers.append(("X-Consul-Lastcontact", String(read.lastContactMilliseconds)))
    }
    if let right = denied?.header { head.headers.append(("X-Consul-Denied", right)) }
    return head
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("Results")
    if response.errors.isEmpty {
      writer.array(response.results) { $1.encodeJSON(&$0) }
    } else {
      writer.null()
    }
    writer.member("Errors")
    if response.errors.isEmpty {
      writer.null()
    } else {
      writer.array(response.errors) { inRequest($1).encodeJSON(&$0) }
    }
    if let read {
      writer.member("Index")
      writer.integer(read.index)
      writer.member("LastContact")
      // Nanoseconds.
      writer.integer(read.lastContactMilliseconds &* 1_000_000)
      writer.member("KnownLeader")
      writer.bool(read.knownLeader)
      writer.member("ConsistencyLevel")
      writer.string("")
      writer.member("NotModified")
      writer.bool(false)
      writer.member("Backend")
      writer.integer(0)
      writer.member("ResultsFilteredByACLs")
      writer.bool(isFiltered)
    }
    writer.endObject()
  }

  /// The error with the place that its operation has in the request.
  private func inRequest(_ error: TxnError) -> TxnError {
    guard places.indices.contains(error.opIndex) else { return error }
    return TxnError(opIndex: places[error.opIndex], what: error.what)
  }
}
