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
    var order: [String] = []
    var merged: [String: Dynamic] = [:]
    for entry in entries {
      let value = entry.plainValue
      if let earlier = merged[entry.key] {
        merged[entry.key] = Self.joined(earlier, value, labels: entry.labels.count)
      } else {
        order.append(entry.key)
        merged[entry.key] = value
      }
    }
    return DynamicObject(order.map { ($0, merged[$0] ?? .null) })
  }

  /// What two entries of the same key make together. Labelled blocks meet member by member, as deep as they have labels.
  private static func joined(_ earlier: Dynamic, _ later: Dynamic, labels: Int) -> Dynamic {
    guard case .object(let new) = later else { return later }
    switch earlier {
    case .object(var old) where labels > 0:
      for (key, value) in new {
        if let present = old[key] {
          old[key] = joined(present, value, labels: labels - 1)
        } else {
          old.append(key, value)
        }
      }
      return .object(old)
    case .object: return .array([earlier, later])
    case .array(let elements) where elements.allSatisfy({ $0.object != nil }): return .array(elements + [later])
    default: return later
    }
  }
}

extension HCLEntry {
  fileprivate var plainValue: Dynamic {
    labels.reversed().reduce(value.plain) { inner, label in .object(DynamicObject([(label, inner)])) }
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
