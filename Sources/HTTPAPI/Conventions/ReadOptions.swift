import Model
import Server

/// The parameters that all reads share: consistency, waiting, datacenter.
extension Request {
  func readOptions(_ exchange: Exchange) throws(HTTPError) -> QueryOptions {
    var options = QueryOptions()
    options.token = exchange.token
    if query.isEmpty, head[.cacheControl] == nil {
      options.maxTime = exchange.api.settings.defaultQueryTime
      return options
    }
    options.datacenter = datacenter
    try readConsistency(into: &options, exchange.api.settings)
    let freshness = try CacheFreshness(cacheControl: header(.cacheControl))
    if exchange.api.settings.usesCache, query.has("cached") { options.cache = freshness }
    try readWaiting(into: &options, exchange.api.settings)
    return options
  }

  /// The datacenter that a request is about; "" means the agent's own.
  var datacenter: String {
    if query.isEmpty { return "" }
    return query["dc"] ?? query["datacenter"] ?? ""
  }

  private func readConsistency(into options: inout QueryOptions, _ settings: HTTPSettings) throws(HTTPError) {
    var stale = query.has("stale")
    if let text = query["max_stale"], !text.isEmpty {
      guard let limit = GoDuration(text) else { throw .badRequest("Invalid max_stale value \"\(text)\"") }
      options.maxStale = limit
      if limit > .zero { stale = true }
    }
    let consistent = query.has("consistent")
    if stale, consistent {
      throw .badRequest("Cannot specify ?stale with ?consistent, conflicting semantics.")
    }
    if consistent, settings.usesCache, query.has("cached") {
      throw .badRequest("Cannot specify ?cached with ?consistent, conflicting semantics.")
    }
    options.consistency = stale ? .stale : consistent ? .consistent : .leaseBased
  }

  private func readWaiting(into options: inout QueryOptions, _ settings: HTTPSettings) throws(HTTPError) {
    if let text = query["index"], !text.isEmpty {
      guard let index = Self.unsigned(text) else { throw .badRequest("Invalid index") }
      options.minIndex = index
    }
    options.maxTime = min(try waitTime() ?? settings.defaultQueryTime, settings.maxQueryTime)
  }

  /// How long the client wants to wait; nil when it does not say. No time at all means the default, too.
  func waitTime() throws(HTTPError) -> GoDuration? {
    guard let text = query["wait"], !text.isEmpty else { return nil }
    guard let wait = GoDuration(text), wait >= .zero else { throw .badRequest("Invalid wait time") }
    return wait == .zero ? nil : wait
  }

  /// Decimal digits without a sign.
  private static func unsigned(_ text: String) -> UInt64? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(text) : nil
  }

  /// The number in a parameter that writes take; nil when the request does not have it.
  ///
  /// - Throws: in the words of Go's `strconv.ParseUint`, with the status that the reference gives it.
  func unsignedParameter(_ name: String) throws(HTTPError) -> UInt64? {
    guard let text = query[name] else { return nil }
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw .server("strconv.ParseUint: parsing \"\(text)\": invalid syntax")
    }
    guard let value = UInt64(text) else {
      throw .server("strconv.ParseUint: parsing \"\(text)\": value out of range")
    }
    return value
  }

  /// Pairs `name:value` of repeated parameters.
  var nodeMeta: StringMap {
    var meta = StringMap()
    if query.isEmpty { return meta }
    for pair in query.all("node-meta") {
      let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      meta[String(parts.first ?? "")] = parts.count > 1 ? String(parts[1]) : ""
    }
    return meta
  }
}

extension CacheFreshness {
  /// What the `Cache-Control` header of a request says (RFC 9111 section 5.2.1); directives that mean nothing here are
  /// ignored.
  ///
  /// - Throws: 400 for a number that is none.
  init(cacheControl value: String?) throws(HTTPError) {
    self.init()
    guard let value, !value.isEmpty else { return }
    for part in value.split(separator: ",") {
      let directive = part.drop { $0 == " " }
      let pieces = directive.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      switch pieces.first?.lowercased() {
      case "must-revalidate": mustRevalidate = true
      case "max-age": maxAge = try Self.seconds(pieces)
      case "stale-if-error": staleIfError = try Self.seconds(pieces)
      default: break
      }
    }
  }

  private static func seconds(_ pieces: [Substring]) throws(HTTPError) -> UInt64 {
    guard pieces.count == 2, let seconds = Int(pieces[1].filter({ $0 != " " })), seconds >= 0 else {
      throw .badRequest("Invalid Cache-Control header.")
    }
    return UInt64(seconds)
  }
}
