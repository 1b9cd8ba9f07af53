import Synchronization

/// Term and vote of a server that forgets everything at its end (`agent -dev`).
public final class MemoryTermStorage: TermStorage {
  private let state = Mutex<HardState?>(nil)

  public init() {}

  public func load() throws(StorageError) -> HardState? { state.withLock { $0 } }

  public func store(_ newState: HardState) throws(StorageError) { state.withLock { $0 = newState } }
}
