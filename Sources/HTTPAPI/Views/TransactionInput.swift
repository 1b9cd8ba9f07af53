import Model

/// An operation of a transaction as requests write it.
struct TransactionOperation: Record {
  var kv: KVOperation?
  var node: NodeOperation?
  var service: ServiceOperation?
  var check: CheckOperation?

  init() {}

  static let schema = Schema<TransactionOperation>("api.TxnOp") {
    $0.field("KV", \.kv)
    $0.field("Node", \.node)
    $0.field("Service", \.service)
    $0.field("Check", \.check)
  }

  /// What the servers are asked to do; nil for an operation that names nothing.
  var op: TxnOp? {
    var op = TxnOp()
    if let kv {
      op.kv = kv.op
    } else if let node {
      op.node = Boxed(node.op)
    } else if let service {
      op.service = Boxed(service.op)
    } else if let check {
      op.check = Boxed(check.op)
    } else {
      return nil
    }
    return op
  }
}

struct KVOperation: Record {
  var verb = ""
  var key = ""
  var value = Bytes()
  var flags: UInt64 = 0
  var index: UInt64 = 0
  var session = ""
  /// Accepted and not looked at, like all namespaces and partitions here.
  var namespace = ""
  var partition = ""

  init() {}

  static let schema = Schema<KVOperation>("api.KVTxnOp") {
    $0.field("Verb", \.verb)
    $0.field("Key", \.key)
    $0.field("Value", \.value)
    $0.field("Flags", \.flags)
    $0.field("Index", \.index)
    $0.field("Session", \.session)
    $0.field("Namespace", \.namespace)
    $0.field("Partition", \.partition)
  }

  var op: TxnKVOp {
    var op = TxnKVOp()
    op.verb = verb
    op.dirEnt.key = key
    op.dirEnt.value = value
    op.dirEnt.flags = flags
    op.dirEnt.session = session
    op.dirEnt.modifyIndex = index
    return op
  }
}

struct NodeOperation: Record {
  var verb = ""
  var node = Node()

  init() {}

  static let schema = Schema<NodeOperation>("api.NodeTxnOp") {
    $0.field("Verb", \.verb)
    $0.field("Node", \.node)
  }

  var op: TxnNodeOp {
    var op = TxnNodeOp()
    op.verb = verb
    op.node = node
    op.node.partition = ""
    return op
  }
}

struct ServiceOperation: Record {
  var verb = ""
  var node = ""
  var service = ServiceInput()

  init() {}

  static let schema = Schema<ServiceOperation>("api.ServiceTxnOp") {
    $0.field("Verb", \.verb)
    $0.field("Node", \.node)
    $0.field("Service", \.service)
  }

  var op: TxnServiceOp {
    var op = TxnServiceOp()
    op.verb = verb
    op.node = node
    op.service = service.row
    // Clients that have nothing to say about weights say zero.
    if let weights = op.service.weights, weights.passing == 0, weights.warning == 0 { op.service.weights = nil }
    return op
  }
}

/// A service as the agent shows it, so that what was read there can be written here: what the catalog does not keep is
/// accepted and not looked at.
struct ServiceInput: Record {
  var row = NodeService()
  var contentHash = ""
  var datacenter = ""
  var namespace = ""
  var partition = ""

  init() {}

  static let schema = Schema<ServiceInput>("api.AgentService") {
    $0.embed(\.row)
    $0.field("ContentHash", \.contentHash)
    $0.field("Datacenter", \.datacenter)
    $0.field("Namespace", \.namespace)
    $0.field("Partition", \.partition)
  }
}

struct CheckOperation: Record {
  var verb = ""
  var check = CheckInput()

  init() {}

  static let schema = Schema<CheckOperation>("api.CheckTxnOp") {
    $0.field("Verb", \.verb)
    $0.field("Check", \.check)
  }

  var op: TxnCheckOp {
    var op = TxnCheckOp()
    op.verb = verb
    op.check = check.row
    return op
  }
}

/// A check with what the catalog does not keep.
struct CheckInput: Record {
  var row = HealthCheck()
  var namespace = ""
  var partition = ""

  init() {}

  static let schema = Schema<CheckInput>("api.HealthCheck") {
    $0.embed(\.row)
    $0.field("Namespace", \.namespace)
    $0.field("Partition", \.partition)
  }
}
