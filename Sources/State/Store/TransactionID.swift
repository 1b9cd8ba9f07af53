import Synchronization

/// Ids that say who may write a tree node in place. Unique within the process, also across stores: a restored store takes the
/// place of another one.
enum TransactionID {
  private static let last = Atomic<UInt64>(0)

  static func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
