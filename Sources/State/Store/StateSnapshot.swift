/// A state of tokens, policies and roles.
public struct AccessVersion: Sendable, Hashable {
  let generation: UInt64
  let changes: UInt64
}

/// One immutable version of the whole state. Cheap to copy and to hold: a reference.
public struct StateSnapshot: Sendable {
  private final class Version: Sendable {
    let tables: Tables
    let appliedIndex: UInt64
    let generation: UInt64

    init(tables: Tables, appliedIndex: UInt64, generation: UInt64) {
      self.tables = tables
      self.appliedIndex = appliedIndex
      self.generation = generation
    }
  }

  private let version: Version

  /// The state before anything was ever written.
  public init() { self.init(tables: Tables(), appliedIndex: 0) }

  init(tables: Tables, appliedIndex: UInt64, generation: UInt64 = 0) {
    version = Version(tables: tables, appliedIndex: appliedIndex, generation: generation)
  }

  var tables: Tables {
    @inline(__always) _read { yield version.tables }
  }

  /// The highest log index whose command is part of this version.
  public var appliedIndex: UInt64 { version.appliedIndex }

  /// How often the state had been replaced as a whole before this version. Between versions of different generations indexes
  /// may go back.
  public var generation: UInt64 { version.generation }

  /// Differs between versions in which tokens may do different things.
  public var accessVersion: AccessVersion {
    AccessVersion(generation: version.generation, changes: version.tables.accessChanges)
  }

  /// The highest index at which keys were deleted or tombstones forgotten.
  public var tombstoneIndex: UInt64 { tables.index(of: IndexName.tombstones) }

  /// Whether both are the same version.
  public static func === (a: StateSnapshot, b: StateSnapshot) -> Bool { a.version === b.version }
}
