import Model

/// Changes of the state that become visible together, or not at all.
public struct StateTransaction: ~Copyable {
  var tables: Tables
  /// The index of the command that is being applied.
  public var index: UInt64 = 0
  private(set) var owner = TransactionID.next()
  private(set) var changes: [Change] = []
  /// Keys whose holder's session ended, with their delay.
  private(set) var lockDelays: [(key: String, duration: GoDuration)] = []
  /// The last node, by its folded name, whose services were touched, and for which command.
  var touchedServices: (node: String, index: UInt64)?
  private var appliedIndex: UInt64
  private let generation: UInt64

  private let recordsChanges: Bool

  init(_ base: StateSnapshot, recordsChanges: Bool = true) {
    self.recordsChanges = recordsChanges
    tables = base.tables
    appliedIndex = base.appliedIndex
    generation = base.generation
  }

  /// The state with what this transaction did so far.
  public mutating func snapshot() -> StateSnapshot {
    // From here on nobody writes nodes that carry the old id.
    owner = TransactionID.next()
    return StateSnapshot(tables: tables, appliedIndex: appliedIndex, generation: generation)
  }

  /// Applies a command of the log. One that fails changes nothing.
  public mutating func apply(_ command: Command, index: UInt64) -> CommandResult {
    self.index = index
    appliedIndex = max(appliedIndex, index)
    do throws(StateError) {
      return try perform(command)
    } catch {
      return .failed(error.description)
    }
  }

  private mutating func perform(_ command: Command) throws(StateError) -> CommandResult {
    switch command {
    case .register(let request): try register(request)
    case .deregister(let request): deregister(request)
    case .kvs(let request): return try apply(request)
    case .session(let request): return try apply(request)
    case .tombstone(let request): try apply(request)
    case .coordinates(let batch): updateCoordinates(batch)
    case .preparedQuery(let request): return try apply(request)
    case .txn(let request): return .transaction(apply(request.ops))
    case .autopilot(let request): return apply(request)
    case .accessControl(let command): try apply(command)
    case .certificateAuthority(let request): return apply(request)
    case .leafIndex: return .number(index)
    case .intention(let request): try apply(request)
    case .configEntry(let request): return try apply(request)
    case .ignored: break
    }
    return .done
  }

  /// Runs several operations of which either all or none take effect.
  public mutating func attempt<Result, Failure: Error>(
    _ body: (inout StateTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let savedTables = tables
    // Both only grow: their lengths are all that has to be kept.
    let changeCount = changes.count
    let delayCount = lockDelays.count
    owner = TransactionID.next()
    do throws(Failure) {
      return try body(&self)
    } catch {
      tables = savedTables
      touchedServices = nil
      changes.removeSubrange(changeCount...)
      lockDelays.removeSubrange(delayCount...)
      owner = TransactionID.next()
      throw error
    }
  }

  // MARK: What operations report

  mutating func touch(_ point: WatchPoint) { record(.point(point)) }
  mutating func touchKey(_ key: String) { record(.key(key)) }
  mutating func touchKeys(prefix: String, _ removed: RadixTree<Row<KVEntry>>) {
    record(.keyTree(prefix: prefix, removed: removed))
  }
  private mutating func record(_ change: Change) {
    if recordsChanges { changes.append(change) }
  }
  mutating func delayLock(_ key: String, by duration: GoDuration) { lockDelays.append((key, duration)) }

  // MARK: The index table

  /// Raises a row of the index table to the index of the command. Never lowers it.
  mutating func raise(_ name: String) { raise(name, to: index) }

  mutating func raise(_ name: String, to value: UInt64) {
    if let old = tables.index[exact: name], old.value >= value { return }
    setIndex(name, value)
  }

  /// Sets a row of the index table, as restoring one does.
  mutating func setIndex(_ name: String, _ value: UInt64) {
    tables.index.put(IndexRow(name: name, value: value), owner: owner)
    touch(.index(name))
  }

  mutating func removeIndex(_ name: String) {
    if tables.index.remove(.exact(name), owner: owner) != nil { touch(.index(name)) }
  }
}
