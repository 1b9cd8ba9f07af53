import AccessControl
import Model
import State

/// Carries operations out that only read.
public struct TxnRead: ReadQuery {
  public static let method = "Txn.Read"
  public var ops: [TxnOp]
  private let refusal: (@Sendable (Permission) -> String?)?

  /// - Parameters:
  ///   - ops: none with `isWrite`; what such an operation does would be lost.
  ///   - refusal: what a token without a right is told, nil when it has it; nil for a token that may do everything.
  public init(_ ops: [TxnOp], refusal: (@Sendable (Permission) -> String?)?) {
    self.ops = ops
    self.refusal = refusal
  }

  /// Without an index: a transaction cannot be waited for.
  public func evaluate(_ state: StateSnapshot) -> QueryResult<TxnOutcome> {
    var rules = TxnRules(state: state, datacenter: "", refusal: refusal)
    var ops = ops
    rules.apply(to: &ops)
    let outcome = rules.errors.isEmpty ? TxnOutcome(state.answer(ops)) : TxnOutcome(refused: rules)
    return QueryResult(index: 0, value: outcome, watch: [])
  }
}
