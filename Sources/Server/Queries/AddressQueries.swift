import Model
import State

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
    let node = nodes.value.first { $0.value.address == address }
    let services = node == nil ? state.serviceDump().value.map(\.service).filter { $0.value.address == address } : []
    return nodes.map { _ in Reply(node: node, services: services) }
  }
}
