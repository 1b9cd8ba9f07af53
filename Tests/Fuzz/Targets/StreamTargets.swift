import GRPC
import Model
import NIOCore

@testable import Server
@testable import State

/// What arrives on a call of gRPC: messages behind their lengths, each an event of a subscription.
struct StreamTarget: FuzzTarget {
  let name = "stream"

  private static var instance: ServiceInstance {
    var node = Node()
    (node.node, node.address, node.meta) = ("n1", "10.0.0.1", ["rack": "r1"])
    var service = NodeService()
    (service.id, service.service, service.tags, service.port) = ("web1", "web", ["v1"], 80)
    service.taggedAddresses = ["lan": ServiceAddress(address: "10.0.0.1", port: 80)]
    service.proxy.value.config["limits"] = .object(
      DynamicObject([("max", .double(3)), ("list", .array(["a", .null]))]))
    var check = HealthCheck()
    (check.node, check.checkID, check.status) = ("n1", "c", "passing")
    check.definition.value.header = ["X": ["1"]]
    check.definition.value.interval = .seconds(10)
    return ServiceInstance(node: Row(node), service: Row(service), checks: [Row(check)])
  }

  var corpus: [[UInt8]] {
    let content = TopicContent.instances([Self.instance])
    let frames = StreamFrames.snapshot(7, content.updates) + [StreamFrames.newSnapshot]
    let gone = PublishedEvent(9, TopicContent.instances([]).updates(since: content) + content.updates)?.frame
    return (frames + [gone].compactMap { $0 }).map { Array($0.readableBytesView) }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    var decoder = GRPCMessageDecoder(bytesMax: 1 << 20)
    var view = HealthView()
    view.subscribed()
    var kinds: Set<String> = []
    do {
      // Cut in two, as a network may do it.
      for piece in [input.prefix(input.count / 2), input.suffix(input.count - input.count / 2)] {
        decoder.append(ByteBuffer(bytes: piece))
        while let message = try decoder.next() {
          let event = try StreamEvent(protobuf: Array(message.readableBytesView))
          _ = view.receive(event)
          kinds.insert(kind(event))
          let bytes = event.protobuf()
          guard (try? StreamEvent(protobuf: bytes))?.protobuf() == bytes else {
            throw BrokenPromise(what: "an event that was read is not read again as it was")
          }
        }
      }
    } catch let broken as BrokenPromise {
      throw broken
    } catch {
      return .refused(by: error)
    }
    let places = view.instances.map { InstancePlace($0) }
    guard zip(places, places.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw BrokenPromise(what: "a view is not in its order")
    }
    return .accepted(kinds.sorted().joined(separator: ","))
  }

  private func kind(_ event: StreamEvent) -> String {
    if event.endOfSnapshot { return "end" }
    if event.newSnapshotToFollow { return "anew" }
    if let batch = event.batch { return "batch \(min(batch.events.count, 3))" }
    return event.serviceHealth.map { "health \(min($0.op, 2))" } ?? (event.service == nil ? "other" : "service")
  }
}
