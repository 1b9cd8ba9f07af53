import Model

// The messages of `subscribe` (wire/protobuf.md). Of the alternatives of a message that has several, at most one is there.

/// What a subscription is about. The numbers are those of the wire.
enum StreamTopic: Int, Sendable {
  case unknown = 0
  case serviceHealth, serviceHealthConnect
  case meshConfig, serviceResolver, ingressGateway, serviceIntentions
  case serviceList
  case serviceDefaults, apiGateway, tcpRoute, httpRoute, inlineCertificate, boundAPIGateway, ipRateLimit, samenessGroup
  case jwtProvider, exportedServices, fileSystemCertificate
}

struct NamedSubject: ProtobufMessage {
  var key = ""
  var namespace = ""
  var partition = ""
  var peerName = ""

  static let layout = ProtobufLayout<NamedSubject> {
    $0.field(1, \.key)
    $0.field(2, \.namespace)
    $0.field(3, \.partition)
    $0.field(4, \.peerName)
  }
}

struct SubscribeRequest: ProtobufMessage {
  /// A `StreamTopic`.
  var topic = 0
  /// The subject as callers before 1.13 name it; only used where there is no other.
  var key = ""
  var token = ""
  /// What the caller has seen, or 0.
  var index: UInt64 = 0
  var datacenter = ""
  var namespace = ""
  var partition = ""
  var peerName = ""
  var wildcardSubject = false
  var namedSubject: NamedSubject?

  static let layout = ProtobufLayout<SubscribeRequest> {
    $0.field(1, \.topic)
    $0.field(2, \.key)
    $0.field(3, \.token)
    $0.field(4, \.index)
    $0.field(5, \.datacenter)
    $0.field(6, \.namespace)
    $0.field(7, \.partition)
    $0.field(8, \.peerName)
    $0.field(9, \.wildcardSubject)
    $0.field(10, \.namedSubject)
  }
}

struct StreamEvent: ProtobufMessage {
  var index: UInt64 = 0
  var endOfSnapshot = false
  var newSnapshotToFollow = false
  var batch: EventBatch?
  var serviceHealth: ServiceHealthUpdate?
  var service: ServiceListUpdate?
  /// Something was left out that the reader's token may not see. A field of ours, which others pass over.
  var isFiltered = false

  static let filteredField: UInt32 = 1000

  static let layout = ProtobufLayout<StreamEvent> {
    $0.field(1, \.index)
    $0.field(2, \.endOfSnapshot)
    $0.field(3, \.newSnapshotToFollow)
    $0.field(4, \.batch)
    $0.field(10, \.serviceHealth)
    $0.field(12, \.service)
    $0.field(filteredField, \.isFiltered)
  }
}

struct EventBatch: ProtobufMessage {
  var events: [StreamEvent] = []

  static let layout = ProtobufLayout<EventBatch> { $0.field(1, \.events) }
}

/// Whether something is there now, or is gone. The numbers are those of the wire.
enum CatalogOp {
  static let register = 0
  static let deregister = 1
}

struct ServiceHealthUpdate: ProtobufMessage {
  /// A `CatalogOp`.
  var op = CatalogOp.register
  var instance: CheckServiceNode?

  static let layout = ProtobufLayout<ServiceHealthUpdate> {
    $0.field(1, \.op)
    $0.field(2, \.instance)
  }
}

struct ServiceListUpdate: ProtobufMessage {
  /// A `CatalogOp`.
  var op = CatalogOp.register
  var name = ""
  var peerName = ""

  static let layout = ProtobufLayout<ServiceListUpdate> {
    $0.field(1, \.op)
    $0.field(2, \.name)
    $0.emptyMessage(3)
    $0.field(4, \.peerName)
  }
}

extension CheckServiceNode: ProtobufMessage {
  public static let layout = ProtobufLayout<CheckServiceNode> {
    $0.field(1, \.node)
    $0.field(2, \.service)
    $0.field(3, \.checks)
  }
}
