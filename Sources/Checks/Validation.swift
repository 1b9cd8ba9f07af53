import Model

/// Checks a definition against the rules that hold wherever it comes from. Callers put "Invalid check: " before the text.
@discardableResult
public func validate(_ definition: CheckType) throws(CheckError) -> CheckKind {
  let probes = definition.needsInterval
  let isAlias = !definition.aliasNode.isEmpty || !definition.aliasService.isEmpty
  if definition.interval > .zero && definition.ttl > .zero { throw .intervalAndTTL }
  if probes && definition.interval <= .zero { throw .intervalMissing }
  if probes && isAlias { throw .intervalOfAlias }
  if !probes && !isAlias && definition.ttl <= .zero { throw .ttlMissing }
  if definition.outputMaxSize < 0 { throw .outputMaxSizeNegative }
  if definition.failuresBeforeWarning > definition.failuresBeforeCritical { throw .warningAboveCritical }
  guard let kind = CheckKind(definition) else { throw .ttlMissing }
  return kind
}

extension CheckType {
  /// Whether the definition names something to probe again and again.
  var needsInterval: Bool {
    !scriptArgs.isEmpty || !h2ping.isEmpty || !osService.isEmpty || !tcp.isEmpty || !udp.isEmpty
      || !target(http: true).isEmpty || !target(http: false).isEmpty
  }
}
