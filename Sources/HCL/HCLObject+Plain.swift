import Model

extension HCLObject {
  /// The document as a plain value tree, for readers that do not care about positions and block syntax.
  ///
  /// - A repeated block becomes a list of objects, a block that stands once an object; whoever wants a list takes one
  ///   object for a list of one.
  /// - Labels become members: `sink "a" { … } sink "b" { … }` is `{sink: {a: {…}, b: {…}}}`.
  /// - Of several assignments to one key, the last one counts; objects that are assigned several times are repeated
  ///   blocks.
  public var plain: Dynamic { .object(plainObject) }

  /// The members of `plain`.
  public var plainObject: DynamicObject {
    DynamicObject(
      Self.grouped(entries, by: \.key).map { key, entries in
        (key, Self.combined(entries.map { ($0.labels[...], $0.value.plain) }))
      })
  }

  /// What all entries of one key make together.
  private static func combined(_ values: [(labels: ArraySlice<String>, value: Dynamic)]) -> Dynamic {
    if values.allSatisfy({ !$0.labels.isEmpty }) {
      let groups = grouped(values) { $0.labels.first ?? "" }
      return .object(
        DynamicObject(groups.map { ($0.key, combined($0.elements.map { ($0.labels.dropFirst(), $0.value) })) }))
    }
    var result: [Dynamic] = []
    var last: Dynamic = .null
    for (labels, value) in values {
      let block = labels.reversed().reduce(value) { inner, label in .object(DynamicObject([(label, inner)])) }
      switch (block, last) {
      case (.object, .object): result.append(block)
      case (.object, .array(let blocks)) where blocks.allSatisfy({ $0.object != nil }): result = blocks + [block]
      default: result = [block]
      }
      last = block
    }
    return result.count == 1 ? result[0] : .array(result)
  }

  /// The elements by key, keys in the order in which they first appear.
  private static func grouped<Element>(
    _ elements: [Element], by key: (Element) -> String
  ) -> [(key: String, elements: [Element])] {
    var places: [String: Int] = [:]
    var groups: [(key: String, elements: [Element])] = []
    for element in elements {
      let key = key(element)
      if let place = places[key] {
        groups[place].elements.append(element)
      } else {
        places[key] = groups.count
        groups.append((key, [element]))
      }
    }
    return groups
  }
}

extension HCLValue {
  /// The value without its position.
  public var plain: Dynamic {
    switch kind {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .double(let value): .double(value)
    case .string(let value): .string(value)
    case .list(let values): .array(values.map(\.plain))
    case .object(let object): .object(object.plainObject)
    }
  }
}
