import AccessControl
import Model
import State
import Telemetry

/// What became of a transaction, and whether it came so far.
public struct TxnOutcome: Sendable, Equatable {
  public var response: TxnResponse
  /// Whether its operations were tried. Otherwise the errors were found before, by looking at them.
  public var wasTried: Bool

  init(_ response: TxnResponse) {
    self.response = response
    wasTried = true
  }

  init(refused rules: TxnRules) {
    response = TxnResponse(errors: rules.errors)
    wasTried = false
  }
}

/// Carries operations out of which some change the state.
public struct TxnApply: WriteRequest {
  public static let method = "Txn.Apply"
  public static var duration: MetricSample? { ServerMetrics.transaction }
  public var ops: [TxnOp]

  public init(_ ops: [TxnOp]) { self.ops = ops }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<TxnOutcome> {
    let reader = try context.reader()
    var refusal: (@Sendable (Permission) -> AccessRefusal?)?
    if let reader, !reader.isUnlimited { refusal = { reader.refusal(of: $0) } }
    var rules = TxnRules(
      state: context.state, datacenter: context.datacenter, refusal: refusal, isLockDelayed: context.isLockDelayed)
    var request = TxnRequest()
    request.datacenter = context.datacenter
    request.ops = ops
    rules.apply(to: &request.ops)
    if !rules.errors.isEmpty { return .immediate(TxnOutcome(refused: rules)) }
    return .command(.txn(request)) { (result) throws(ServerError) in
      guard case .transaction(let response) = result else {
        if case .failed(let text) = result { throw .rejected("raft apply failed: \(text)") }
        throw .rejected("raft apply failed: a transaction was answered by something else")
      }
      var outcome = TxnOutcome(response)
      if let reader { _ = outcome.limit(to: reader) }
      return outcome
    }
  }
}
