import Model
import State
import Telemetry

/// Changes one key, or deletes all under a prefix.
public struct KVApply: WriteRequest {
  public static let method = "KVS.Apply"
  public static var duration: MetricSample? { ServerMetrics.kvs }
  public var op: KVOp
  public var entry: KVEntry

  public init(_ op: KVOp, _ entry: KVEntry) {
    self.op = op
    self.entry = entry
  }

  /// Whether the state machine tells if it did what was asked.
  var answersWithBool: Bool { [.cas, .deleteCAS, .lock, .unlock].contains(op) }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    if entry.key.isEmpty, op != .deleteTree { throw .invalid("Must provide key") }
    try context.require(op == .deleteTree ? .keyWritePrefix(entry.key) : .keyWrite(entry.key))
    // The delay runs on the leader's clock only: the log must not depend on clocks (wire/raft.md part C, notes).
    if op == .lock, context.isLockDelayed(entry.key) { return .immediate(false) }
    var request = KVSRequest(op: op, entry: entry)
    request.datacenter = context.datacenter
    let answersWithBool = answersWithBool
    return .command(Command.kvs(request)) { (result) throws(ServerError) in
      if case .bool(let success) = result { return success }
      return try result.success(prefix: "raft apply failed: ") && !answersWithBool
    }
  }
}
