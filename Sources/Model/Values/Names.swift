extension String {
  /// The form in which names are compared and stand in keys and index names.
  public var folded: String {
    utf8.contains { $0 >= 0x80 || ($0 >= 0x41 && $0 <= 0x5A) } ? lowercased() : self
  }

  /// Whether two names are the same without regard to case.
  public func isSameName(as other: String) -> Bool { self == other || folded == other.folded }
}
