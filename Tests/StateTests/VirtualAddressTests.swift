import Model
import Testing

@testable import State

/// An instance of a service that speaks the mesh's protocol itself.
private func native(_ name: String, id: String = "", port: Int = 80) -> NodeService {
  var service = NodeService()
  service.service = name
  service.id = id.isEmpty ? name : id
  service.port = port
  service.connect.value.native = true
  return service
}

private func proxy(of name: String) -> NodeService {
  var service = NodeService()
  service.kind = ServiceKind.connectProxy
  service.service = "\(name)-proxy"
  service.id = service.service
  service.port = 20000
  service.proxy.value.destinationServiceName = name
  return service
}

@Suite struct VirtualAddressTests {
  private let store = StateStore()

  private func change(_ index: UInt64, _ body: (inout StateTransaction) -> Void) {
    store.write { transaction in
      transaction.index = index
      if transaction.nodeEntry("n") == nil {
        var node = Node()
        node.node = "n"
        transaction.put(node)
      }
      body(&transaction)
    }
  }

  private func tagged(_ id: String) -> ServiceAddress? {
    store.current.service(id, node: "n")?.value.taggedAddresses["consul-virtual"]
  }

  @Test func instancesInTheMeshGetTheAddressOfTheirService() {
    change(1) {
      $0.put(proxy(of: "web"), node: "n")
      $0.put(native("api", port: 81), node: "n")
      $0.put(native("web", id: "web-2", port: 82), node: "n")
      var plain = NodeService()
      plain.service = "plain"
      plain.id = "plain"
      $0.put(plain, node: "n")
    }
    #expect(tagged("web-proxy") == ServiceAddress(address: "240.0.0.1", port: 20000))
    #expect(tagged("api") == ServiceAddress(address: "240.0.0.2", port: 81))
    #expect(tagged("web-2") == ServiceAddress(address: "240.0.0.1", port: 82))
    #expect(tagged("plain") == nil)
    #expect(store.current.virtualAddress(of: "WEB").value == "240.0.0.1")
    #expect(store.current.virtualAddress(of: "plain").value == nil)
  }

  @Test func anAddressIsGivenBackWithTheLastInstanceAndUsedAgain() {
    change(1) {
      $0.put(native("a", id: "a1"), node: "n")
      $0.put(native("a", id: "a2"), node: "n")
      $0.put(native("b"), node: "n")
    }
    change(2) { $0.removeService("a1", node: "n") }
    #expect(store.current.virtualAddress(of: "a").value == "240.0.0.1")
    change(3) { $0.removeService("a2", node: "n") }
    let result = store.current.virtualAddress(of: "a")
    #expect(result.value == nil)
    #expect(result.index == 3)
    change(4) {
      $0.put(native("c"), node: "n")
      $0.put(native("d"), node: "n")
    }
    #expect(store.current.virtualAddress(of: "c").value == "240.0.0.1")
    #expect(store.current.virtualAddress(of: "d").value == "240.0.0.3")
  }

  @Test func registeringAgainChangesNothing() {
    change(1) { $0.put(native("a"), node: "n") }
    change(2) { $0.put(native("a"), node: "n") }
    #expect(store.current.service("a", node: "n")?.value.modifyIndex == 1)
    #expect(store.current.virtualAddress(of: "a").index == 1)
  }

  @Test(arguments: [
    (UInt32(1), "240.0.0.1"), (256, "240.0.1.0"), (0x0FFF_FFFE, "255.255.255.254"),
  ]) func offsetsAreCountedFromTheBlocksBeginning(offset: UInt32, address: String) throws {
    let value = try #require(VirtualAddressOffset(offset))
    #expect(value.address == address)
    #expect(VirtualAddressOffset(value.mapped) == value)
  }

  @Test func theBlockEndsBeforeTheBroadcastAddress() {
    #expect(VirtualAddressOffset(0x0FFF_FFFE)?.next == nil)
    #expect(VirtualAddressOffset(0) == nil)
    #expect(VirtualAddressOffset(Bytes([1, 2, 3])) == nil)
  }
}
