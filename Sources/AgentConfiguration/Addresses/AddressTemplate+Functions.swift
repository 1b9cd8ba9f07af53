import Model

// The functions of address templates.
extension AddressTemplate {
  func call(_ function: String, _ arguments: [String], on input: Value?) throws(Failure) -> Value {
    guard let input else { return try source(function, arguments) }
    guard case .interfaces(let list) = input else {
      throw .arguments(function: function, "needs a list of interfaces")
    }
    switch function {
    case "include": return .interfaces(try selected(list, function, arguments, keep: true))
    case "exclude": return .interfaces(try selected(list, function, arguments, keep: false))
    case "sort": return .interfaces(try sorted(list, arguments))
    case "unique": return .interfaces(try unique(list, arguments))
    case "limit": return .interfaces(Array(list.prefix(try number(function, arguments))))
    case "offset": return .interfaces(offset(list, try number(function, arguments)))
    case "attr": return .text(try list.first.map { (first) throws(Failure) in try attribute(first, arguments) } ?? "")
    case "join": return .text(try joined(list, arguments))
    default: throw .unknownFunction(function)
    }
  }

  /// Functions that begin a pipeline.
  private func source(_ function: String, _ arguments: [String]) throws(Failure) -> Value {
    switch function {
    case "GetAllInterfaces": return .interfaces(interfaces)
    case "GetDefaultInterfaces": return .interfaces(interfaces.filter(\.isDefault))
    case "GetPrivateInterfaces": return .interfaces(privateInterfaces)
    case "GetPublicInterfaces": return .interfaces(publicInterfaces)
    case "GetPrivateIP": return .text(privateInterfaces.first?.address.description ?? "")
    case "GetPrivateIPs": return .text(addresses(privateInterfaces))
    case "GetPublicIP": return .text(publicInterfaces.first?.address.description ?? "")
    case "GetPublicIPs": return .text(addresses(publicInterfaces))
    case "GetInterfaceIP": return .text(try named(function, arguments).first?.address.description ?? "")
    case "GetInterfaceIPs": return .text(addresses(try named(function, arguments)))
    default: throw .unknownFunction(function)
    }
  }

  /// Forwardable addresses of interfaces that are up and of a special purpose range; those of the default route first.
  private var privateInterfaces: [NetworkInterface] {
    ordered(interfaces.filter { usable($0) && $0.address.isSpecialPurpose })
  }

  private var publicInterfaces: [NetworkInterface] {
    ordered(interfaces.filter { usable($0) && !$0.address.isSpecialPurpose })
  }

  private func usable(_ interface: NetworkInterface) -> Bool {
    interface.flags.contains("up") && interface.flags.contains("forwardable")
  }

  /// The default route's first, IPv4 before IPv6, larger networks last.
  private func ordered(_ list: [NetworkInterface]) -> [NetworkInterface] {
    list.enumerated().sorted { a, b in
      (a.element.isDefault ? 0 : 1, a.element.address.isIPv4 ? 0 : 1, -a.element.network.length, a.offset)
        < (b.element.isDefault ? 0 : 1, b.element.address.isIPv4 ? 0 : 1, -b.element.network.length, b.offset)
    }.map(\.element)
  }

  private func addresses(_ list: [NetworkInterface]) -> String {
    list.map(\.address.description).joined(separator: " ")
  }

  /// Addresses of the interfaces whose name matches; link-local ones only if there is nothing else.
  private func named(_ function: String, _ arguments: [String]) throws(Failure) -> [NetworkInterface] {
    guard arguments.count == 1 else { throw .arguments(function: function, "needs the name of an interface") }
    let matches = try matcher(function, "^(?:\(arguments[0]))$")
    let found = interfaces.filter { matches($0.name) && $0.flags.contains("forwardable") }
    return found.sorted { $0.address.isIPv4 && !$1.address.isIPv4 }
  }

  // MARK: Filters

  private func selected(
    _ list: [NetworkInterface], _ function: String, _ arguments: [String], keep: Bool
  ) throws(Failure) -> [NetworkInterface] {
    guard arguments.count == 2 else { throw .arguments(function: function, "needs an attribute and a value") }
    let test = try predicate(function, arguments[0].lowercased(), arguments[1])
    return list.filter { test($0) == keep }
  }

  private func predicate(
    _ function: String, _ attribute: String, _ value: String
  ) throws(Failure) -> (NetworkInterface) -> Bool {
    switch attribute {
    case "name":
      let matches = try matcher(function, value)
      return { matches($0.name) }
    case "address":
      let matches = try matcher(function, value)
      return { matches($0.address.description) }
    case "network":
      guard let network = CIDR(value) else { throw .arguments(function: function, "invalid network \(value)") }
      return { network.contains($0.address) }
    case "flag", "flags":
      let wanted = value.lowercased().split(separator: "|").map(String.init)
      return { interface in wanted.allSatisfy { interface.flags.contains($0) } }
    case "type":
      return { interface in
        value.lowercased().split(separator: "|").contains {
          $0 == "ip" || $0 == (interface.address.isIPv4 ? "ipv4" : "ipv6")
        }
      }
    case "size":
      guard let length = Int(value.hasPrefix("/") ? String(value.dropFirst()) : value) else {
        throw .arguments(function: function, "invalid size \(value)")
      }
      return { $0.network.length == length }
    case "rfc":
      let ranges = try Self.ranges(rfc: value, function)
      return { interface in ranges.contains { $0.contains(interface.address) } }
    default: throw .arguments(function: function, "unknown attribute \(attribute)")
    }
  }

  private static func ranges(rfc: String, _ function: String) throws(Failure) -> [CIDR] {
    switch rfc {
    case "6890": CIDR.specialPurpose
    case "1918": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].compactMap { CIDR($0) }
    case "6598": [CIDR("100.64.0.0/10")].compactMap { $0 }
    case "3927": [CIDR("169.254.0.0/16")].compactMap { $0 }
    case "4193": [CIDR("fc00::/7")].compactMap { $0 }
    case "4291": ["::1/128", "fe80::/10", "ff00::/8"].compactMap { CIDR($0) }
    case "5735", "5737": ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"].compactMap { CIDR($0) }
    case "3849": [CIDR("2001:db8::/32")].compactMap { $0 }
    case "2544": [CIDR("198.18.0.0/15")].compactMap { $0 }
    case "1112", "5771": [CIDR("224.0.0.0/4")].compactMap { $0 }
    default: throw .arguments(function: function, "unknown RFC \(rfc)")
    }
  }

  /// A test whether a regular expression occurs in a text.
  private func matcher(_ function: String, _ pattern: String) throws(Failure) -> (String) -> Bool {
    guard let expression = try? Regex(pattern) else {
      throw .arguments(function: function, "invalid regular expression \(pattern)")
    }
    return { $0.firstMatch(of: expression) != nil }
  }

  // MARK: Order and parts

  private func sorted(_ list: [NetworkInterface], _ arguments: [String]) throws(Failure) -> [NetworkInterface] {
    var result = Array(list.enumerated())
    for key in (arguments.first ?? "").split(separator: ",").reversed() {
      let descending = key.hasPrefix("-")
      let name = key.drop { $0 == "+" || $0 == "-" }
      let text = try sortKey(String(name))
      result = result.enumerated().sorted { a, b in
        let (first, second) = (text(a.element.element), text(b.element.element))
        if first != second { return (first < second) != descending }
        return a.offset < b.offset
      }.map(\.element)
    }
    return result.map(\.element)
  }

  private func sortKey(_ name: String) throws(Failure) -> (NetworkInterface) -> String {
    switch name {
    case "name": return { $0.name }
    case "address": return { Self.hexadecimal($0.address) }
    case "default": return { $0.isDefault ? "0" : "1" }
    case "private": return { $0.address.isSpecialPurpose ? "0" : "1" }
    case "size": return { String(UnicodeScalar(UInt8(255 - min($0.network.length, 255)))) }
    case "type": return { $0.address.isIPv4 ? "0" : "1" }
    case "port": return { _ in "" }
    default: throw .arguments(function: "sort", "unknown key \(name)")
    }
  }

  private static func hexadecimal(_ address: IPAddress) -> String {
    (address.isIPv4 ? "4" : "6") + address.bytes.map { String(UnicodeScalar($0)) }.joined()
  }

  private func unique(_ list: [NetworkInterface], _ arguments: [String]) throws(Failure) -> [NetworkInterface] {
    var seen: Set<String> = []
    var result: [NetworkInterface] = []
    for interface in list where seen.insert(try attribute(interface, arguments)).inserted { result.append(interface) }
    return result
  }

  private func number(_ function: String, _ arguments: [String]) throws(Failure) -> Int {
    guard arguments.count == 1, let number = Int(arguments[0]), function != "limit" || number >= 0 else {
      throw .arguments(function: function, "needs a number")
    }
    return number
  }

  /// A negative offset counts from the end.
  private func offset(_ list: [NetworkInterface], _ count: Int) -> [NetworkInterface] {
    count >= 0 ? Array(list.dropFirst(count)) : list.suffix(-max(count, -list.count))
  }

  private func joined(_ list: [NetworkInterface], _ arguments: [String]) throws(Failure) -> String {
    guard arguments.count == 2 else { throw .arguments(function: "join", "needs an attribute and a separator") }
    var parts: [String] = []
    for interface in list { parts.append(try attribute(interface, [arguments[0]])) }
    return parts.joined(separator: arguments[1])
  }

  private func attribute(_ interface: NetworkInterface, _ arguments: [String]) throws(Failure) -> String {
    guard arguments.count == 1 else { throw .arguments(function: "attr", "needs the name of an attribute") }
    switch arguments[0].lowercased() {
    case "address", "host": return interface.address.description
    case "name": return interface.name
    case "flags": return interface.flags.joined(separator: "|")
    case "network": return interface.network.description
    case "size": return String(interface.network.length)
    case "type": return interface.address.isIPv4 ? "IPv4" : "IPv6"
    default: throw .arguments(function: "attr", "unknown attribute \(arguments[0])")
    }
  }
}
