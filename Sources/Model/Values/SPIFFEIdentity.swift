/// Who the holder of a certificate of the mesh is: the URI that stands in it (SPIFFE-ID, section 2).
public struct SPIFFEIdentity: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case service(namespace: String, datacenter: String, name: String)
    /// A client agent, by the name of its node.
    case agent(datacenter: String, node: String)
    /// The servers of a datacenter.
    case server(datacenter: String)
    case meshGateway(datacenter: String)
    /// The authority itself.
    case authority
  }

  /// Of an agent that does not know the cluster's yet.
  public static let unknownTrustDomain = "unknown.consul"
  /// Characters of an identity (SPIFFE-ID, section 2.3).
  static let sizeMax = 2048

  public var trustDomain: String
  public var kind: Kind

  public init(trustDomain: String, _ kind: Kind) {
    self.trustDomain = trustDomain
    self.kind = kind
  }

  /// Nil for what is no such URI.
  public init?(uri: String) {
    guard uri.utf8.count <= Self.sizeMax, uri.utf8.starts(with: "spiffe://".utf8) else { return nil }
    let rest = uri.dropFirst(9)
    guard !rest.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else { return nil }
    let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
    guard let domain = parts.first, !domain.isEmpty else { return nil }
    let path = parts.dropFirst().compactMap { Self.decoded($0) }
    guard path.count == parts.count - 1, path.allSatisfy({ !$0.isEmpty }), let kind = Kind(path) else { return nil }
    self.init(trustDomain: domain.lowercased(), kind)
  }

  public var uri: String {
    let path = kind.path.map { "/" + Self.encoded($0) }.joined()
    return "spiffe://\(trustDomain)\(path)"
  }

  /// Percent-encoded as a segment of a path (RFC 3986, section 3.3).
  private static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "+"), UInt8(ascii: "="),
        UInt8(ascii: ":"), UInt8(ascii: "@"):
        out.append(byte)
      default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func decoded(_ text: Substring) -> String? {
    var out: [UInt8] = []
    var bytes = text.utf8.makeIterator()
    func digit(_ byte: UInt8?) -> UInt8? {
      byte.flatMap { Character(UnicodeScalar($0)).hexDigitValue }.map { UInt8($0) }
    }
    while let byte = bytes.next() {
      guard byte == UInt8(ascii: "%") else {
        out.append(byte)
        continue
      }
      guard let high = digit(bytes.next()), let low = digit(bytes.next()) else { return nil }
      out.append(high << 4 | low)
    }
    return String(validating: out, as: UTF8.self)
  }
}

extension SPIFFEIdentity.Kind {
  fileprivate init?(_ path: [String]) {
    switch path.count {
    case 0: self = .authority
    case 6 where path[0] == "ns" && path[2] == "dc" && path[4] == "svc":
      self = .service(namespace: path[1], datacenter: path[3], name: path[5])
    case 6 where path[0] == "agent" && path[1] == "client" && path[2] == "dc" && path[4] == "id":
      self = .agent(datacenter: path[3], node: path[5])
    case 4 where path[0] == "agent" && path[1] == "server" && path[2] == "dc": self = .server(datacenter: path[3])
    case 4 where path[0] == "gateway" && path[1] == "mesh" && path[2] == "dc": self = .meshGateway(datacenter: path[3])
    default: return nil
    }
  }

  fileprivate var path: [String] {
    switch self {
    case .service(let namespace, let datacenter, let name): ["ns", namespace, "dc", datacenter, "svc", name]
    case .agent(let datacenter, let node): ["agent", "client", "dc", datacenter, "id", node]
    case .server(let datacenter): ["agent", "server", "dc", datacenter]
    case .meshGateway(let datacenter): ["gateway", "mesh", "dc", datacenter]
    case .authority: []
    }
  }
}
