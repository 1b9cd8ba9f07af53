import Model

/// A node as the catalog lists it, alone or as the home of a service.
public struct CatalogNode: Sendable, Equatable {
  public var id: String
  public var name: String
  public var address: String
  public var datacenter: String
  public var taggedAddresses: [String: String]
  public var meta: [String: String]

  init(_ json: Dynamic, metaMember: String) {
    id = json.text("ID")
    name = json.text("Node")
    address = json.text("Address")
    datacenter = json.text("Datacenter")
    taggedAddresses = json.textMap("TaggedAddresses")
    meta = json.textMap(metaMember)
  }
}

/// `/v1/catalog`
public struct Catalog: Sendable {
  let client: ConsulClient

  /// Names of the known datacenters, nearest first.
  public func datacenters() async throws -> [String] {
    try await client.perform(APIRequest("GET", "/v1/catalog/datacenters")).texts()
  }

  public func nodes(_ options: QueryOptions = QueryOptions()) async throws -> Answer<[CatalogNode]> {
    let response = try await client.perform(APIRequest("GET", "/v1/catalog/nodes", options))
    return Answer(value: try response.list().map { CatalogNode($0, metaMember: "Meta") }, metadata: response.metadata)
  }

  /// The nodes of a service, once for each instance.
  public func nodes(
    ofService name: String, _ options: QueryOptions = QueryOptions()
  ) async throws -> Answer<[CatalogNode]> {
    let response = try await client.perform(APIRequest("GET", "/v1/catalog/service/" + name, options))
    return Answer(
      value: try response.list().map { CatalogNode($0, metaMember: "NodeMeta") }, metadata: response.metadata)
  }

  /// Names of the services, with all tags of their instances.
  public func services(_ options: QueryOptions = QueryOptions()) async throws -> Answer<[String: [String]]> {
    let response = try await client.perform(APIRequest("GET", "/v1/catalog/services", options))
    var services: [String: [String]] = [:]
    for (name, tags) in try response.json().object ?? DynamicObject() {
      services[name] = tags.array?.compactMap(\.string) ?? []
    }
    return Answer(value: services, metadata: response.metadata)
  }

  /// The services of one node, by name or id of the node, with the tags of their instances there.
  public func services(
    onNode node: String, _ options: QueryOptions = QueryOptions()
  ) async throws -> Answer<[String: [String]]> {
    let response = try await client.perform(APIRequest("GET", "/v1/catalog/node/" + node, options))
    var services: [String: [String]] = [:]
    for (_, service) in try response.json()["Services"]?.object ?? DynamicObject() {
      services[service.text("Service"), default: []] += service.texts("Tags")
    }
    return Answer(value: services, metadata: response.metadata)
  }
}

extension ConsulClient {
  public var catalog: Catalog { Catalog(client: self) }
}
