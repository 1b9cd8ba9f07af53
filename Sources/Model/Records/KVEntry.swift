/// A key of the key-value store with its value and lock.
public struct KVEntry: Record {
  /// How often the key was locked.
  public var lockIndex: UInt64 = 0
  public var key = ""
  /// Opaque to the store; clients use it to mark kinds of values.
  public var flags: UInt64 = 0
  public var value = Bytes()
  /// The session that holds the lock, or "".
  public var session = ""
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<KVEntry>("structs.DirEntry") {
    $0.field("LockIndex", \.lockIndex)
    $0.field("Key", \.key)
    $0.field("Flags", \.flags)
    $0.field("Value", \.value)
    $0.field("Session", \.session, .omitEmpty)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}
