import Model

/// What must hold of a part of the catalog before it is logged, however it is written.
enum CatalogRules {
  static func checkNodeID(_ id: String) throws(ServerError) {
    guard !id.isEmpty, !Identifier.isValid(id) else { return }
    let problem = id.utf8.count == 36 ? "uuid is improperly formatted" : "uuid string is wrong length"
    throw .invalid("Bad node ID: \(problem)")
  }

  /// Gives a service the id and the weights that it does not say.
  static func complete(_ service: inout NodeService) throws(ServerError) {
    if service.service.isEmpty {
      throw .invalid(
        "Must provide service name (Service.Service)" + (service.id.isEmpty ? "" : " when service ID is provided"))
    }
    if service.id.isEmpty { service.id = service.service }
    // Nobody can be reached at the address that stands for all.
    if ["0.0.0.0", "::", "[::]"].contains(service.address) { throw .invalid("Invalid service address") }
    if let problem = service.problemText { throw .invalid(problem) }
    if service.weights == nil { service.weights = Weights() }
  }
}
