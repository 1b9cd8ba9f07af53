import Glibc
import Model
import Testing

@testable import State

/// Figures rather than assertions; runs only when `STATE_BENCHMARK` is set.
@Suite(.enabled(if: getenv("STATE_BENCHMARK") != nil), .serialized) struct Benchmark {
  private func seconds(_ work: () -> Void) -> Double {
    let start = StateStore.monotonicNow()
    work()
    return Double(StateStore.monotonicNow() - start) / 1e9
  }

  /// Resident memory in bytes.
  private func resident() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 128)
    guard fgets(&buffer, 128, file) != nil else { return 0 }
    let fields = String(decoding: buffer.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
  }

  private final class Item: Sendable {}

  @Test func tree() {
    let count = 200_000
    let keys = (0..<count).map { Key.exact("service/instance/of/node/\($0 % 5000)/number/\($0)") }
    let item = Item()
    var tree = RadixTree<Item>()
    let before = resident()
    let owner = TransactionID.next()
    let insert = seconds { for key in keys { tree.insert(key, item, owner: owner) } }
    let bytes = (resident() - before) / count
    var found = 0
    let lookup = seconds { for key in keys where tree.value(key) != nil { found += 1 } }
    let scan = seconds { for _ in tree.values { found += 1 } }
    var versions: [RadixTree<Item>] = []
    let update = seconds {
      for key in keys.prefix(50_000) {
        versions = [tree]
        tree.insert(key, item, owner: TransactionID.next())
      }
    }
    #expect(found == 2 * count && versions.count == 1)
    print("tree: insert \(Int(Double(count) / insert))/s lookup \(Int(Double(count) / lookup))/s")
    print("tree: scan \(Int(Double(count) / scan))/s update with snapshot \(Int(50_000 / update))/s \(bytes) B per key")
  }

  @Test func catalog() {
    let catalog = Catalog()
    let before = resident()
    let nodes = 5000
    let register = seconds {
      for group in 0..<100 {
        for place in 0..<500 {
          let number = group * 500 + place
          let id = "svc-\(group)-\(number)"
          var row = service("svc-\(group)", id: id, tags: ["v1", "production"], port: 8000 + number % 1000)
          row.meta = ["version": "1.2.3", "region": "us-west"]
          var alive = check(id, service: id)
          alive.name = "http"
          var request = RegisterRequest()
          request.node = "node-\(number % nodes)"
          request.address = "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"
          request.datacenter = "dc1"
          request.service = row
          request.checks = [alive]
          // As it comes from the log.
          guard let command = try? Command(decoding: Command.register(request).encode()) else { continue }
          catalog.apply(command)
        }
      }
    }
    let added = resident() - before
    let state = catalog.state
    #expect(state.usage().serviceInstances == 50_000)
    var listed = 0
    let list = seconds {
      for group in 0..<1000 { listed += state.healthServiceNodes("svc-\(group % 100)").value.count }
    }
    #expect(listed == 500_000)
    let services = seconds { for _ in 0..<20 { listed += state.services().value.count } }
    print("catalog: \(Int(50_000 / register)) registrations/s, \(added >> 20) MiB for 50,000 instances")
    print("catalog: \(Int(1000 / list)) lists of 500 instances/s, \(Int(20 / services)) lists of services/s")
  }

  @Test func keysAndWatches() {
    let catalog = Catalog()
    let count = 200_000
    let before = resident()
    let set = seconds { for number in 0..<count { catalog.kv(.set, "bench/key/\(number)", "0123456789") } }
    let bytes = (resident() - before) / count
    let get = seconds { for number in 0..<count { _ = catalog.state.kvEntry("bench/key/\(number)") } }
    let idle = resident()
    var watches: [Watch] = []
    for number in 0..<5000 {
      let point = number % 2 == 0 ? WatchPoint.key("watched") : .keyPrefix("watched/")
      if let watch = catalog.store.register([point], seen: catalog.state, { _ in }) { watches.append(watch) }
    }
    let perWatch = (resident() - idle) / 5000
    let watched = seconds { for number in 0..<count { catalog.kv(.set, "bench/key/\(number)", "abcdefghij") } }
    #expect(catalog.store.watchCount == 5000 && watches.count == 5000)
    print("kv: set \(Int(Double(count) / set))/s, with 5,000 watches \(Int(Double(count) / watched))/s")
    print("kv: get \(Int(Double(count) / get))/s, \(bytes) B per key, \(perWatch) B per watch")
    let write = seconds {
      var total = 0
      try? catalog.state.write { total += $0.count }
    }
    print("snapshot of \(count) keys: \(Int(write * 1000)) ms")
  }
}
