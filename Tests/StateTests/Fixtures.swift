import Model

@testable import State

/// A store with short ways to write commands: each takes the next log index.
final class Catalog {
  let store: StateStore
  private(set) var index: UInt64 = 0

  init(now: @escaping @Sendable () -> UInt64 = { 0 }) { store = StateStore(now: now) }

  var state: StateSnapshot { store.current }

  @discardableResult
  func apply(_ command: Command) -> CommandResult {
    index += 1
    return store.apply(index: index, command)
  }

  @discardableResult
  func register(
    _ node: String, id: String = "", address: String = "192.0.2.1", meta: StringMap = StringMap(),
    service: NodeService? = nil, checks: [HealthCheck] = [], skipNodeUpdate: Bool = false
  ) -> CommandResult {
    var request = RegisterRequest()
    request.node = node
    request.id = id
    request.address = address
    request.nodeMeta = meta
    request.service = service
    request.checks = checks
    request.skipNodeUpdate = skipNodeUpdate
    return apply(.register(request))
  }

  @discardableResult
  func deregister(_ node: String, service: String = "", check: String = "") -> CommandResult {
    var request = DeregisterRequest()
    request.node = node
    request.serviceID = service
    request.checkID = check
    return apply(.deregister(request))
  }

  @discardableResult
  func kv(
    _ op: KVOp, _ key: String, _ value: String = "", session: String = "", flags: UInt64 = 0, modifyIndex: UInt64 = 0
  ) -> CommandResult {
    var entry = KVEntry()
    entry.key = key
    entry.value = Bytes(Array(value.utf8))
    entry.session = session
    entry.flags = flags
    entry.modifyIndex = modifyIndex
    return apply(.kvs(KVSRequest(op: op, entry: entry)))
  }

  @discardableResult
  func session(
    _ id: String, node: String = "n", checks: [String] = [], behavior: String = "", lockDelay: GoDuration = .zero
  ) -> CommandResult {
    var request = SessionRequest()
    request.op = "create"
    request.session.id = id
    request.session.node = node
    request.session.nodeChecks = checks
    request.session.behavior = behavior
    request.session.lockDelay = lockDelay
    return apply(.session(request))
  }

  @discardableResult
  func endSession(_ id: String) -> CommandResult {
    var request = SessionRequest()
    request.op = "destroy"
    request.session.id = id
    return apply(.session(request))
  }

  /// All rows of the index table.
  var indexes: [String: UInt64] {
    Dictionary(uniqueKeysWithValues: state.tables.index.rows.values.map { ($0.name, $0.value) })
  }

  /// The names of the index rows that `write` raises, lowers or removes, without the prefix of local rows.
  func raised(_ write: () -> Void) -> Set<String> {
    let before = indexes
    write()
    let after = indexes
    return Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
  }
}

func service(
  _ name: String, id: String? = nil, kind: String = "", tags: [String] = [], port: Int = 0, destination: String = "",
  native: Bool = false
) -> NodeService {
  var service = NodeService()
  service.service = name
  service.id = id ?? name
  service.kind = kind
  service.tags = tags
  service.port = port
  service.weights = Weights()
  service.proxy.value.destinationServiceName = destination
  service.connect.value.native = native
  return service
}

func check(_ id: String, _ status: CheckStatus = .passing, service: String = "", output: String = "") -> HealthCheck {
  var check = HealthCheck()
  check.checkID = id
  check.name = id
  check.status = status.rawValue
  check.serviceID = service
  check.output = output
  return check
}
