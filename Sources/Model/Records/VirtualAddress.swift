/// A service and, unless it is a local one, the peer that it was imported from.
public struct PeeredServiceName: Record {
  public var peer = ""
  public var serviceName = ServiceName()
  /// Where releases before 1.13 keep the name in snapshots.
  var formerName = ""

  public init() {}
  public init(_ name: String, peer: String = "") {
    self.peer = peer
    serviceName.name = name
  }

  public static let schema = Schema<PeeredServiceName>("structs.PeeredServiceName") {
    $0.field("Peer", \.peer)
    $0.field("ServiceName", \.serviceName)
    $0.field("Name", \.formerName, [.hiddenInJSON, .omitEmptyOnWire, .notSelectable])
  }

  /// The same with the name in its place.
  public var normalized: PeeredServiceName {
    formerName.isEmpty ? self : PeeredServiceName(formerName, peer: peer)
  }
}

/// The name of a service where the commercial edition has a namespace and a partition as well.
public struct ServiceName: Record {
  public var name = ""

  public init() {}
  public init(_ name: String) { self.name = name }

  public static let schema = Schema<ServiceName>("structs.ServiceName") { $0.field("Name", \.name) }
}

/// The address under which transparent proxies reach a service of the mesh.
public struct ServiceVirtualIP: Record {
  public var service = PeeredServiceName()
  /// An IPv4 address in its IPv6-mapped form: the distance from 240.0.0.0.
  public var ip = Bytes()
  /// Further addresses, given by users.
  public var manualIPs: [String] = []
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<ServiceVirtualIP>("state.ServiceVirtualIP") {
    $0.field("Service", \.service)
    $0.field("IP", \.ip)
    $0.field("ManualIPs", \.manualIPs, .nullWhenEmpty)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// An address that was given back, or (`isCounter`) the highest one that was ever handed out.
public struct FreeVirtualIP: Record {
  public var ip = Bytes()
  public var isCounter = false

  public init() {}

  public static let schema = Schema<FreeVirtualIP>("state.FreeVirtualIP") {
    $0.field("IP", \.ip)
    $0.field("IsCounter", \.isCounter)
  }
}

/// Positions in 240.0.0.0/4, the block that virtual addresses are taken from.
public struct VirtualAddressOffset: Hashable, Comparable, Sendable {
  private static let base: UInt32 = 0xF000_0000
  /// 255.255.255.255 is the broadcast address.
  private static let highest: UInt32 = 0x0FFF_FFFE

  public let value: UInt32

  /// - Returns: nil where the block ends.
  public init?(_ value: UInt32) {
    guard value >= 1, value <= Self.highest else { return nil }
    self.value = value
  }

  /// From the form in which records hold it.
  public init?(_ mapped: Bytes) {
    guard mapped.count == 16, mapped.bytes.prefix(10).allSatisfy({ $0 == 0 }), mapped.bytes[10] == 0xFF,
      mapped.bytes[11] == 0xFF
    else { return nil }
    self.init(mapped.bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
  }

  public var next: VirtualAddressOffset? { VirtualAddressOffset(value + 1) }

  public var mapped: Bytes {
    Bytes([UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + Self.octets(value))
  }

  /// The address, such as `240.0.0.1`.
  public var address: String { Self.octets(Self.base + value).map(String.init).joined(separator: ".") }

  private static func octets(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}
