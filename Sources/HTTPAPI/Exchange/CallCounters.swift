import Telemetry

/// Counts the requests about the catalog: received, answered, failed.
struct CallCounters: Sendable {
  let received: MetricCounter
  let answered: MetricCounter
  let failed: MetricCounter

  private static let names = [
    "/v1/catalog/register": "catalog_register", "/v1/catalog/deregister": "catalog_deregister",
    "/v1/catalog/datacenters": "catalog_datacenters", "/v1/catalog/nodes": "catalog_nodes",
    "/v1/catalog/services": "catalog_services", "/v1/catalog/service/": "catalog_service_nodes",
    "/v1/catalog/connect/": "catalog_service_nodes", "/v1/catalog/node/": "catalog_node_services",
    "/v1/catalog/node-services/": "catalog_node_service_list",
    "/v1/catalog/gateway-services/": "catalog_gateway_services",
  ]

  /// Nil for endpoints that are not counted so.
  init?(_ endpoint: Endpoint, node: String) {
    guard let name = Self.names[endpoint.path] else { return nil }
    let registry = MetricsRegistry.shared
    let labels = [MetricLabel("node", node)]
    received = registry.counter("client.api.\(name)", labels)
    answered = registry.counter("client.api.success.\(name)", labels)
    failed = registry.counter("client.rpc.error.\(name)", labels)
  }
}

/// What the API counts of all requests alike.
enum RequestMetrics {
  static let calls = MetricsRegistry.shared.counter("client.rpc", isHot: true)

  /// The time that requests of one method and path take.
  static func duration(_ method: HTTPMethod, _ path: String) -> MetricSample {
    let path = path.drop { $0 == "/" }.replacing("/", with: "_")
    return MetricsRegistry.shared.sample(
      "api.http", [MetricLabel("method", method.name), MetricLabel("path", String(path))], isHot: true)
  }
}
