import Model

/// The name that stands for any service.
public let anyService = "*"

extension SourceIntention {
  /// How exact an intention names its ends: the higher is asked first (Consul documentation, "Precedence and match order").
  public static func precedence(source: String, destination: String) -> Int {
    switch (destination == anyService, source == anyService) {
    case (false, false): 9
    case (false, true): 8
    case (true, false): 6
    case (true, true): 5
    }
  }

  /// Whether both are about the same callers.
  func isSameSource(as other: SourceIntention) -> Bool {
    name == other.name && peer == other.peer && samenessGroup == other.samenessGroup
  }
}

extension ServiceIntentions {
  /// Whether every source was made by the older endpoints, which know intentions by ids.
  public var isLegacy: Bool { !sources.isEmpty && sources.allSatisfy { !$0.legacyID.isEmpty } }

  /// The sources as intentions, in their order.
  public var intentions: [Intention] { sources.map { Intention($0, of: self) } }
}

extension Intention {
  init(_ source: SourceIntention, of entry: ServiceIntentions) {
    self.init()
    id = source.legacyID
    description = source.description
    sourceName = source.name
    sourcePeer = source.peer
    sourceSamenessGroup = source.samenessGroup
    destinationName = entry.name
    sourceType = source.type
    action = source.action
    permissions = source.permissions
    jwt = entry.jwt
    meta = source.legacyID.isEmpty ? entry.meta : source.legacyMeta
    precedence = source.precedence
    createdAt = source.legacyCreateTime ?? Timestamp()
    updatedAt = source.legacyUpdateTime ?? Timestamp()
    createIndex = entry.common.createIndex
    modifyIndex = entry.common.modifyIndex
    if !id.isEmpty { hash = contentHash }
  }

  /// Of what somebody chose: equal intentions have equal ones.
  private var contentHash: Bytes {
    var digest = BLAKE2b()
    for text in [
      id, description, sourceNS, sourceName, destinationNS, destinationName, sourceType, action, defaultAddr,
      String(defaultPort), String(precedence),
    ] {
      digest.update(text)
    }
    for (key, value) in meta.map({ ($0.key, $0.value) }) {
      digest.update(key)
      digest.update(value)
    }
    return Bytes(digest.digest())
  }
}

extension [Intention] {
  /// In the order in which they are asked: the most exact first, then by names.
  public func inOrder() -> [Intention] {
    sorted { a, b in
      if a.precedence != b.precedence { return a.precedence > b.precedence }
      if a.sourceName != b.sourceName { return bytewiseLess(a.sourceName, b.sourceName) }
      if a.sourcePeer != b.sourcePeer { return bytewiseLess(a.sourcePeer, b.sourcePeer) }
      return bytewiseLess(a.destinationName, b.destinationName)
    }
  }
}
