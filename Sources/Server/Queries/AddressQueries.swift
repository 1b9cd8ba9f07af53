import Model
import State

/// Who has an address: a node, or services.
public struct CatalogByAddress: ReadQuery {
  public static let method = "Internal.CatalogByAddress"
  public var address: String

  public init(address: String) { self.address = address }

  public typealias Reply = AddressOwners

  public func evaluate(_ state: StateSnapshot) -> QueryResult<AddressOwners> { state.owners(ofAddress: address) }
}

/// The virtual address of a service of the mesh; nil without one.
public struct VirtualIPForService: ReadQuery {
  public static let method = "Catalog.VirtualIPForService"
  public var service: String

  public init(service: String) { self.service = service }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<String?> { state.virtualAddress(of: service) }
}
