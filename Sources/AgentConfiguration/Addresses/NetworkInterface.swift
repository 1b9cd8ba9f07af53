import Model
import Glibc

/// One address of one network interface of the host.
public struct NetworkInterface: Sendable, Equatable {
  public var name: String
  public var address: IPAddress
  /// The network of the address.
  public var network: CIDR
  /// Words such as `up`, `loopback`, `broadcast`, `multicast`, `pointtopoint`, `forwardable`.
  public var flags: [String]
  /// Whether the default route leaves through this interface.
  public var isDefault: Bool

  public init(name: String, address: IPAddress, network: CIDR, flags: [String], isDefault: Bool) {
    self.name = name
    self.address = address
    self.network = network
    self.flags = flags
    self.isDefault = isDefault
  }

  /// The interfaces of this host, in the order of the system.
  public static func ofThisHost() -> [NetworkInterface] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    let defaultName = defaultRouteInterface()
    var result: [NetworkInterface] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ifa_next
      let name = String(cString: entry.ifa_name)
      guard let address = address(entry.ifa_addr) else { continue }
      let length = Self.address(entry.ifa_netmask).map { $0.bytes.reduce(0) { $0 + $1.nonzeroBitCount } }
      result.append(
        NetworkInterface(
          name: name, address: address, network: CIDR(address, length: length ?? address.bytes.count * 8),
          flags: words(entry.ifa_flags, address), isDefault: name == defaultName))
    }
    return result
  }

  private static func address(_ pointer: UnsafeMutablePointer<sockaddr>?) -> IPAddress? {
    guard let pointer else { return nil }
    switch Int32(pointer.pointee.sa_family) {
    case AF_INET:
      return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { socket in
        withUnsafeBytes(of: socket.pointee.sin_addr) { IPAddress(Array($0)) }
      }
    case AF_INET6:
      return pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { socket in
        withUnsafeBytes(of: socket.pointee.sin6_addr) { IPAddress(Array($0)) }
      }
    default: return nil
    }
  }

  private static func words(_ flags: UInt32, _ address: IPAddress) -> [String] {
    let names: [(Int, String)] = [
      (IFF_UP, "up"), (IFF_BROADCAST, "broadcast"), (IFF_LOOPBACK, "loopback"), (IFF_POINTOPOINT, "pointtopoint"),
      (IFF_MULTICAST, "multicast"),
    ]
    var words = names.filter { flags & UInt32($0.0) != 0 }.map(\.1)
    words.append(address.isLinkLocal ? "link-local unicast" : "global unicast")
    if !address.isLoopback, !address.isLinkLocal, !address.isUnspecified { words.append("forwardable") }
    return words
  }

  /// The interface of the IPv4 default route, from the kernel's table.
  private static func defaultRouteInterface() -> String? {
    guard let table = fopen("/proc/net/route", "r") else { return nil }
    defer { fclose(table) }
    var line = [CChar](repeating: 0, count: 512)
    while fgets(&line, Int32(line.count), table) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let columns = text.split { $0 == "\t" || $0 == " " }
      if columns.count > 7, columns[1] == "00000000", columns[7] == "00000000" { return String(columns[0]) }
    }
    return nil
  }
}
