/// One immutable version of the whole state. Cheap to copy and to hold.
public struct StateSnapshot: Sendable {
  public init() {}
}
