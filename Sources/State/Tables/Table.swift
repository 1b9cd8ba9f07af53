/// What a table is: how its rows are named and by what else they are found.
final class TableSchema<Element: AnyObject & Sendable>: Sendable {
  struct Index: Sendable {
    /// The keys of a row in this index: none leaves it out.
    let keys: @Sendable (Element) -> [Key]
  }

  let primary: @Sendable (Element) -> Key
  let indexes: [Index]

  init(primary: @escaping @Sendable (Element) -> Key, indexes: [Index] = []) {
    self.primary = primary
    self.indexes = indexes
  }
}

/// Rows in the order of their primary keys, and further indexes to the same rows. A copy is a snapshot (see `RadixTree`).
struct Table<Element: AnyObject & Sendable>: Sendable {
  private let schema: TableSchema<Element>
  private(set) var rows = RadixTree<Element>()
  private var indexes: [RadixTree<Element>]

  init(_ schema: TableSchema<Element>) {
    self.schema = schema
    indexes = schema.indexes.map { _ in RadixTree() }
  }

  var count: Int { rows.count }

  subscript(key: Key) -> Element? { rows.value(key) }

  /// The row whose primary key is exactly the bytes of this text.
  subscript(exact text: String) -> Element? {
    text.utf8.withContiguousStorageIfAvailable { rows.value(UnsafeRawBufferPointer($0)) } ?? rows.value(.exact(text))
  }

  /// The index that was declared at this place.
  func index(_ place: Int) -> RadixTree<Element> { indexes[place] }

  /// Adds a row or replaces the one with its primary key, and returns the one that was there.
  @discardableResult
  mutating func put(_ element: Element, owner: UInt64) -> Element? {
    let old = rows.insert(schema.primary(element), element, owner: owner)
    for (place, index) in schema.indexes.enumerated() {
      let keys = index.keys(element)
      if let old {
        for key in index.keys(old) where !keys.contains(key) { indexes[place].remove(key, owner: owner) }
      }
      for key in keys { indexes[place].insert(key, element, owner: owner) }
    }
    return old
  }

  @discardableResult
  mutating func remove(_ key: Key, owner: UInt64) -> Element? {
    guard let old = rows.remove(key, owner: owner) else { return nil }
    forget(old, owner: owner)
    return old
  }

  /// Removes all rows whose primary key starts with `prefix`, and returns them.
  mutating func remove(prefix: Key, owner: UInt64) -> RadixTree<Element> {
    let removed = rows.remove(prefix: prefix, owner: owner)
    for element in removed.values { forget(element, owner: owner) }
    return removed
  }

  private mutating func forget(_ element: Element, owner: UInt64) {
    for (place, index) in schema.indexes.enumerated() {
      for key in index.keys(element) { indexes[place].remove(key, owner: owner) }
    }
  }
}
