import Model

/// A node as the catalog keeps it: its row and the checks of the node itself, in the order of their ids.
final class NodeEntry: Sendable {
  /// The node's name as keys have it.
  let name: String
  let node: Row<Node>
  let checks: [Row<HealthCheck>]

  init(name: String, node: Row<Node>, checks: [Row<HealthCheck>]) {
    self.name = name
    self.node = node
    self.checks = checks
  }
}

/// An instance of a service with its checks, in the order of their ids: what a health query shows lies together.
final class ServiceEntry: Sendable {
  /// The node's name as keys have it.
  let nodeName: String
  let service: Row<NodeService>
  let checks: [Row<HealthCheck>]

  init(nodeName: String, service: Row<NodeService>, checks: [Row<HealthCheck>]) {
    self.nodeName = nodeName
    self.service = service
    self.checks = checks
  }

  /// The service that clients reach through this instance's mesh listener, or nil.
  var connectDestination: String? { service.value.connectDestination }
}

extension NodeService {
  /// The service that clients reach through this instance's mesh listener, or nil.
  var connectDestination: String? {
    if kind == ServiceKind.connectProxy { return proxy.value.destinationServiceName }
    return connect.isEmptyValue || !connect.value.native ? nil : service
  }
}

/// A config entry of any kind.
final class ConfigEntryRow: Sendable {
  let entry: ConfigEntry

  init(_ entry: ConfigEntry) { self.entry = entry }
}

/// A row of the index table: when a part of the state last changed.
final class IndexRow: Sendable {
  let name: String
  let value: UInt64

  init(name: String, value: UInt64) {
    self.name = name
    self.value = value
  }
}

/// What remains of a deleted key, or of all below a deleted prefix, so that the index of a list does not go back.
final class Tombstone: Sendable {
  let key: String
  let index: UInt64

  init(key: String, index: UInt64) {
    self.key = key
    self.index = index
  }
}

/// A prepared query and, of a template, what was made ready of it.
final class PreparedQueryEntry: Sendable {
  let row: Row<PreparedQuery>
  let template: QueryTemplate?

  init(_ row: Row<PreparedQuery>, template: QueryTemplate?) {
    self.row = row
    self.template = template
  }

  var id: String { row.value.id }
}

/// That some instance of a kind bears a name.
final class KindName: Sendable {
  let kind: String
  let name: String

  init(kind: String, name: String) {
    self.kind = kind
    self.name = name
  }
}

extension [Row<HealthCheck>] {
  /// The first place whose check's id is not below `id`, in a list in the order of the ids.
  private func place(of id: Key) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if Key.of(self[middle].value.checkID).lexicographicallyPrecedes(id) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func has(_ id: Key, at place: Int) -> Bool { place < count && Key.of(self[place].value.checkID) == id }

  /// The list with `check` put in, or in the place of the one with its id.
  func with(_ check: Row<HealthCheck>) -> [Row<HealthCheck>] {
    let id = Key.of(check.value.checkID)
    let place = place(of: id)
    var result = self
    if has(id, at: place) {
      result[place] = check
    } else {
      result.reserveCapacity(count + 1)
      result.insert(check, at: place)
    }
    return result
  }

  /// The list without the check with that id.
  func without(_ id: String) -> [Row<HealthCheck>] {
    let id = Key.of(id)
    let place = place(of: id)
    guard has(id, at: place) else { return self }
    var result = self
    result.remove(at: place)
    return result
  }
}
