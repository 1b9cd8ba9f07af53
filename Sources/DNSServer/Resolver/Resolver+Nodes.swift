import Model
import State
import Wire

extension Resolver {
  /// Which addresses an answer can use.
  enum AcceptedAddresses {
    case v4, v6, any

    init(_ type: DNSRecordType) {
      switch type {
      case .a: self = .v4
      case .aaaa: self = .v6
      default: self = .any
      }
    }

    var v4: Bool { self != .v6 }
    var v6: Bool { self != .v4 }
  }

  mutating func resolveNode(
    _ name: String, _ place: CatalogPlace, _ question: DNSQuestion, _ zone: Zone, depth: Int
  ) -> DNSResponseCode {
    switch find(.node(name: name, place)) {
    case .node(let row):
      appendNode(row, question, depth: depth)
      return .noError
    case nil:
      return .serverFailure
    default:
      return nameError(in: zone)
    }
  }

  private mutating func appendNode(_ node: Row<Node>, _ question: DNSQuestion, depth: Int) {
    let ttl = configuration.nodeTTL
    let type = question.type
    if type == .a || type == .aaaa || type == .any {
      let text = nodeAddress(node, accepting: AcceptedAddresses(type))
      if let address = DNSAddress(text) {
        if type == .any || type == address.recordType {
          draft.append(AnswerRecord(owner: .question, ttl: ttl, data: .address(address)))
        }
      } else if !text.isEmpty, let alias = try? DNSName(text), !alias.isEqual(to: question.name) {
        draft.append(AnswerRecord(owner: .question, ttl: ttl, data: .name(.cname, .name(alias))))
        for record in follow(alias, depth: depth) { draft.append(record) }
      }
    }
    switch type {
    case .txt, .any:
      for entry in node.value.meta {
        draft.append(AnswerRecord(owner: .question, ttl: ttl, data: .text(Self.metaText(entry))))
      }
    case .a, .aaaa:
      guard configuration.settings.enableAdditionalNodeMetaTXT else { return }
      for entry in node.value.meta {
        draft.append(
          extra: AnswerRecord(owner: .question, ttl: ttl, data: .text(Self.metaText(entry))), describesTarget: false)
      }
    default:
      break
    }
  }

  /// Metadata as TXT shows it: `key=value` (RFC 1464), or the bare value for keys that start with `rfc1035-`.
  static func metaText(_ entry: StringMap.Entry) -> String {
    if entry.key.hasPrefix("rfc1035-") { return entry.value }
    return quoted(entry.key) + "=" + entry.value
  }

  /// A key with the characters quoted that would end it or be lost (RFC 1464, section 2).
  private static func quoted(_ key: String) -> String {
    let needsQuoting = { (byte: UInt8) in byte == 0x60 || byte == 0x3D || byte == 0x20 || byte == 0x09 }
    guard key.utf8.contains(where: needsQuoting) else { return key }
    let scalars = Array(key.unicodeScalars)
    let isBlank = { (scalar: Unicode.Scalar) in scalar == " " || scalar == "\t" }
    let start = scalars.firstIndex { !isBlank($0) } ?? scalars.count
    let end = scalars.lastIndex { !isBlank($0) } ?? -1
    var text = ""
    for (index, scalar) in scalars.enumerated() {
      if scalar == "`" || scalar == "=" || (isBlank(scalar) && (index < start || index > end)) { text += "`" }
      text.unicodeScalars.append(scalar)
    }
    return text
  }

  // MARK: Addresses

  /// Whether WAN addresses are to be used for something in a datacenter.
  func usesWAN(_ datacenter: String) -> Bool {
    configuration.settings.translateWANAddresses && !datacenter.isEmpty
      && datacenter != configuration.settings.datacenter
  }

  /// The address of a node that suits: of the wanted family if one is tagged so, else the node's own.
  func nodeAddress(_ node: Row<Node>, accepting accepted: AcceptedAddresses) -> String {
    guard !node.value.taggedAddresses.isEmpty else { return node.value.address }
    let network = usesWAN(node.value.datacenter) ? Network.wan : .lan
    let tagged = { (tag: String) -> String? in
      node.value.taggedAddresses[tag].flatMap { $0.isEmpty ? nil : $0 }
    }
    return network.choose(accepted, tagged) ?? node.value.address
  }

  /// The same for an instance; empty if it has no address besides its node's.
  func serviceAddress(
    _ service: Row<NodeService>, in datacenter: String, accepting accepted: AcceptedAddresses
  ) -> String {
    guard !service.value.taggedAddresses.isEmpty else { return service.value.address }
    let network = usesWAN(datacenter) ? Network.wan : .lan
    let tagged = { (tag: String) -> String? in
      service.value.taggedAddresses[tag].flatMap { $0.address.isEmpty ? nil : $0.address }
    }
    return network.choose(accepted, tagged) ?? service.value.address
  }

  func servicePort(_ service: Row<NodeService>, in datacenter: String) -> UInt16 {
    if usesWAN(datacenter), let port = service.value.taggedAddresses["wan"]?.port, port > 0 {
      return UInt16(clamping: port)
    }
    return UInt16(clamping: service.value.port)
  }

  /// The tags under which addresses of a network stand.
  private enum Network {
    case lan, wan

    func choose(_ accepted: AcceptedAddresses, _ tagged: (String) -> String?) -> String? {
      switch self {
      case .lan: (accepted.v6 ? tagged("lan_ipv6") : nil) ?? (accepted.v4 ? tagged("lan_ipv4") : nil)
      case .wan:
        (accepted.v6 ? tagged("wan_ipv6") : nil) ?? (accepted.v4 ? tagged("wan_ipv4") : nil) ?? tagged("wan")
      }
    }
  }
}
