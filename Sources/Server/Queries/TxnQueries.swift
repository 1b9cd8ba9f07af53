import AccessControl
import Model
import State

/// Carries operations out that only read.
public struct TxnRead: ReadQuery {
  public static let method = "Txn.Read"
  public var ops: [TxnOp]

  /// - Parameter ops: none with `isWrite`; what such an operation does would be lost.
  public init(_ ops: [TxnOp]) { self.ops = ops }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<TxnOutcome> { evaluate(state, refusal: nil) }

  /// Without an index: a transaction cannot be waited for.
  ///
  /// - Parameter refusal: why a right is lacking; nil for who may do everything.
  func evaluate(
    _ state: StateSnapshot, refusal: (@Sendable (Permission) -> AccessRefusal?)?
  ) -> QueryResult<TxnOutcome> {
    var rules = TxnRules(state: state, datacenter: "", refusal: refusal)
    var ops = ops
    rules.apply(to: &ops)
    let outcome = rules.errors.isEmpty ? TxnOutcome(state.answer(ops)) : TxnOutcome(refused: rules)
    return QueryResult(index: 0, value: outcome, watch: [])
  }
}
