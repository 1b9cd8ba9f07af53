import Model
import State
import Wire

/// Who has an address: a node, or services.
public struct CatalogByAddress: ReadQuery {
  public static let method = "Internal.CatalogByAddress"
  public var address: String

  public init(address: String) { self.address = address }

  public struct Reply: Sendable {
    public var node: Row<Node>?
    /// Only where no node has the address.
    public var services: [Row<NodeService>]
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Reply> {
    let nodes = state.nodes()
    let node = nodes.value.first { isWanted($0.value.address) }
    let services = node == nil ? state.serviceDump().value.map(\.service).filter { isWanted($0.value.address) } : []
    return nodes.map { _ in Reply(node: node, services: services) }
  }

  /// Addresses can be written in several ways: `2001:db8::1` and `2001:0DB8:0::1` are the same.
  private func isWanted(_ text: String) -> Bool {
    text == address || (text.utf8.contains(UInt8(ascii: ":")) && DNSAddress(text).map { "\($0)" == address } ?? false)
  }
}

/// The virtual address of a service of the mesh; nil without one.
public struct VirtualIPForService: ReadQuery {
  public static let method = "Catalog.VirtualIPForService"
  public var service: String

  public init(service: String) { self.service = service }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<String?> { state.virtualAddress(of: service) }
}
