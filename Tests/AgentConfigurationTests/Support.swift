import Model

@testable import AgentConfiguration

extension HostEnvironment {
  /// A host whose files are given as texts by path, with one private address.
  static func fake(
    files: [String: String] = [:], name: String = "host", interfaces: [NetworkInterface] = [.ethernet, .loopback]
  ) -> HostEnvironment {
    HostEnvironment(
      hostName: { name }, interfaces: { interfaces },
      kind: { path in
        if files[path] != nil { return .file }
        return files.keys.contains { $0.hasPrefix(path + "/") } ? .directory : .missing
      },
      list: { (path) throws(ConfigurationError) in
        let names = files.keys.filter { $0.hasPrefix(path + "/") }.map { $0.dropFirst(path.count + 1) }
        return Array(Set(names.compactMap { $0.split(separator: "/").first.map(String.init) }))
      },
      read: { (path) throws(ConfigurationError) in
        guard let text = files[path] else {
          throw .cannotRead(path: path, reason: "open \(path): no such file or directory")
        }
        return Array(text.utf8)
      })
  }
}

extension NetworkInterface {
  static let loopback = make("lo", "127.0.0.1", 8, ["up", "loopback"])
  static let ethernet = make("eth0", "10.1.2.3", 24, ["up", "broadcast", "multicast", "forwardable"], isDefault: true)

  static func make(
    _ name: String, _ address: String, _ length: Int, _ flags: [String], isDefault: Bool = false
  ) -> NetworkInterface {
    let address = IPAddress(address) ?? IPAddress([0, 0, 0, 0])
    return NetworkInterface(
      name: name, address: address, network: CIDR(address, length: length), flags: flags, isDefault: isDefault)
  }
}

/// Loads one HCL text as an agent would; `data_dir` and `bind_addr` are given unless the text is complete by itself.
func load(
  _ text: String, complete: Bool = false, development: Bool = false, host: HostEnvironment = .fake()
) throws(ConfigurationError) -> LoadedConfiguration {
  var flags = AgentFlags()
  flags.isDevelopment = development
  if !complete, !development { flags.fragments.append("data_dir = \"/tmp/x\" bind_addr = \"127.0.0.1\"") }
  flags.fragments.append(text)
  return try ConfigurationLoader(flags: flags, host: host).load()
}

/// The message with which a text is refused, without the name of the fragment; nil if it is accepted.
func refusal(_ text: String, complete: Bool = false, development: Bool = false) -> String? {
  do {
    _ = try load(text, complete: complete, development: development)
    return nil
  } catch {
    return error.description
  }
}
