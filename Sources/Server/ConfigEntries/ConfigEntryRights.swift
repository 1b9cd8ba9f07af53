import AccessControl
import Model

// Who may read and write config entries, by their kind (Consul documentation, "Configuration entries", ACLs).

extension ConfigEntryKind {
  /// Nil for what everyone may read.
  func readRight(_ name: String) -> Permission? {
    switch self {
    case .serviceDefaults, .serviceRouter, .serviceSplitter, .serviceResolver, .ingressGateway, .terminatingGateway,
      .apiGateway, .boundAPIGateway:
      .serviceRead(name)
    case .serviceIntentions: .intentionRead(name)
    case .proxyDefaults, .mesh: nil
    case .exportedServices, .samenessGroup, .inlineCertificate, .fileSystemCertificate, .httpRoute, .tcpRoute,
      .jwtProvider:
      .meshRead
    }
  }

  func writeRight(_ name: String) -> Permission {
    switch self {
    case .serviceDefaults, .serviceRouter, .serviceSplitter, .serviceResolver: .serviceWrite(name)
    case .serviceIntentions: .intentionWrite(name)
    case .proxyDefaults, .mesh, .ingressGateway, .terminatingGateway, .apiGateway, .boundAPIGateway, .exportedServices,
      .samenessGroup, .inlineCertificate, .fileSystemCertificate, .httpRoute, .tcpRoute, .jwtProvider:
      .meshWrite
    }
  }
}

extension ConfigEntry {
  /// The other services to which an entry sends requests: whoever writes it has to know them.
  var referredServices: [String] {
    var names: [String] = []
    if let router = self.as(ServiceRouter.self) {
      names = router.routes.compactMap { $0.destination?.service }
    } else if let splitter = self.as(ServiceSplitter.self) {
      names = splitter.splits.map(\.service)
    } else if let resolver = self.as(ServiceResolver.self) {
      names = [resolver.redirect?.service ?? ""]
      for failover in resolver.failover.values {
        names.append(failover.service)
        names += failover.targets.filter(\.peer.isEmpty).map(\.service)
      }
    }
    return Set(names).subtracting(["", name]).sorted(by: bytewiseLess)
  }
}

extension ConfigEntry: Guarded {
  public func isVisible(to reader: Reader) -> Bool {
    kind.readRight(name).map { reader.allows($0) } ?? true
  }
}

extension Intention: Guarded {
  /// Both ends may see what is between them.
  public func isVisible(to reader: Reader) -> Bool {
    reader.allows(.intentionRead(destinationName))
      || (sourcePeer.isEmpty && reader.allows(.intentionRead(sourceName)))
  }
}
