import Model
import State

/// An instance with its node and checks, as filters look into it: `Node`, `Service` and `Checks`.
struct HealthEntry: Filterable {
  let instance: ServiceInstance

  init(_ instance: ServiceInstance) { self.instance = instance }

  static var filterMembers: [(name: String, shape: Shape)] {
    [
      ("Node", .record(Node.schema.fields)), ("Service", .record(NodeService.schema.fields)),
      ("Checks", .records(HealthCheck.schema.fields)),
    ]
  }

  func filterMember(_ index: Int) -> Selected {
    switch index {
    case 0: .record(instance.node.value)
    case 1: .record(instance.service.value)
    default: .records(instance.checks.map(\.value))
    }
  }
}

extension ServiceInstance {
  func encodeHealth(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("Node")
    node.encodeJSON(&writer)
    writer.member("Service")
    service.encodeJSON(&writer)
    writer.member("Checks")
    writer.beginArray()
    for check in checks { check.encodeJSON(&writer) }
    writer.endArray()
    writer.endObject()
  }

  /// Whether no check is worse than passing.
  var isPassing: Bool { checks.allSatisfy { $0.value.status == CheckStatus.passing.rawValue } }
}
