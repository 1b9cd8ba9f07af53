import Model
import NIOCore
import State

/// Rows that an answer shows, in its order. Rows never change, so equal rows make equal bytes.
protocol AnswerRows {
  func forEachRow(_ body: (AnyObject) -> Void)
}

extension Array: AnswerRows where Element: AnswerRow {
  func forEachRow(_ body: (AnyObject) -> Void) { for element in self { element.forEachRow(body) } }
}

/// An element of such an answer.
protocol AnswerRow {
  func forEachRow(_ body: (AnyObject) -> Void)
}

extension Row: AnswerRow {
  func forEachRow(_ body: (AnyObject) -> Void) { body(self) }
}

extension ServiceInstance: AnswerRow {
  func forEachRow(_ body: (AnyObject) -> Void) {
    body(node)
    body(service)
    for check in checks { body(check) }
  }
}

/// How rows are shown.
struct AnswerForm: Hashable {
  enum View: Hashable {
    /// Each row as its record.
    case records
    /// Instances as `Node`, `Service` and `Checks`.
    case health
    /// Instances as the catalog lists them, node and service in one object.
    case catalog
  }

  var view: View
  var isPretty: Bool
  var acceptsGzip: Bool
}

/// Answers as they were sent last, found again by the rows they show: many clients ask for the same few services, and a
/// change of one service leaves the answers about all others as they are.
///
/// Nothing has to be invalidated: an entry holds its rows, so their identities cannot pass to other rows, and an answer with
/// a changed row is another answer. What nobody asked for during two turns is dropped.
struct AnswerMemo {
  struct Body {
    var bytes: ByteBuffer
    var isCompressed: Bool
  }

  struct Key: Hashable {
    fileprivate let form: AnswerForm
    fileprivate let rows: [ObjectIdentifier]

    init(_ form: AnswerForm, _ rows: some AnswerRows) {
      self.form = form
      var identities: [ObjectIdentifier] = []
      rows.forEachRow { identities.append(ObjectIdentifier($0)) }
      self.rows = identities
    }
  }

  private struct Entry {
    let body: Body
    /// Keeps the identities in the key from passing to other rows.
    let rows: [AnyObject]

    var size: Int { body.bytes.readableBytes + rows.count * 16 }
  }

  /// Bytes of bodies and keys of one generation; there are two.
  static let generationLimit = 4 * 1024 * 1024

  private var young: [Key: Entry] = [:]
  private var old: [Key: Entry] = [:]
  private var size = 0

  var isEmpty: Bool { young.isEmpty && old.isEmpty }

  mutating func find(_ key: Key) -> Body? {
    if let entry = young[key] { return entry.body }
    guard let entry = old.removeValue(forKey: key) else { return nil }
    insert(entry, key)
    return entry.body
  }

  /// Keeps an answer, unless it alone would drive out most others.
  mutating func keep(_ body: Body, _ key: Key, _ rows: some AnswerRows) {
    var held: [AnyObject] = []
    held.reserveCapacity(key.rows.count)
    rows.forEachRow { held.append($0) }
    let entry = Entry(body: body, rows: held)
    if entry.size <= Self.generationLimit / 2 { insert(entry, key) }
  }

  /// Drops what was not asked for since the last turn but one.
  mutating func turn() {
    old = young
    young = [:]
    size = 0
  }

  private mutating func insert(_ entry: Entry, _ key: Key) {
    if size + entry.size > Self.generationLimit { turn() }
    young[key] = entry
    size += entry.size
  }
}
