import Glibc
import Logging
import Model
import Testing

@testable import LocalAgent

/// A directory that is gone after the test.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/local-agent-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FileError("mkdtemp", "/tmp") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { remove(path) }

  private func remove(_ path: String) {
    for name in entries(path) { remove("\(path)/\(name)") }
    if rmdir(path) != 0 { unlink(path) }
  }

  private func entries(_ path: String) -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}

@Suite struct RegistrationStoreTests {
  private let folder: TemporaryDirectory
  private let store: RegistrationStore

  init() throws {
    folder = try TemporaryDirectory()
    store = RegistrationStore(directory: folder.path, logger: Logger(label: "test") { _ in SilentLog() })
  }

  private func service(_ id: String) -> PersistedService {
    var record = PersistedService()
    record.service = .make(id, tags: ["a"])
    record.service.meta = ["k": "v"]
    var proxy = ConnectProxyConfig()
    proxy.destinationServiceName = "web"
    proxy.config["a"] = .double(1)
    record.service.proxy = Boxed(proxy)
    record.service.locallyRegisteredAsSidecar = true
    record.locallyRegisteredAsSidecar = true
    record.token = "secret"
    record.source = "remote"
    return record
  }

  private func check(_ id: String) -> PersistedCheck {
    var record = PersistedCheck()
    record.check = .make(id, of: "web")
    var definition = CheckType()
    definition.ttl = .minutes(10)
    definition.header = ["X-A": ["1", "2"]]
    record.definition = definition
    record.token = "secret"
    record.source = "remote"
    return record
  }

  @Test("what was saved comes back, under the SHA-256 of its id")
  func roundTrip() throws {
    try store.save(service("a/b 1"))
    try store.save(check("c"))
    var maintenance = check("m")
    maintenance.definition = nil
    try store.save(maintenance)
    #expect(store.loadServices() == [service("a/b 1")])
    #expect(Set(store.loadChecks().map(\.check.checkID)) == ["c", "m"])
    #expect(store.loadChecks().first { $0.check.checkID == "c" } == check("c"))
    #expect(store.loadChecks().first { $0.check.checkID == "m" } == maintenance)
    // printf c | sha256sum
    let name = "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"
    #expect(AtomicFile.names(in: folder.path + "/checks").contains(name))
    try store.remove(.services, id: "a/b 1")
    try store.remove(.services, id: "a/b 1")
    #expect(store.loadServices() == [])
  }

  @Test("the files have the reference's form")
  func form() throws {
    try store.save(service("web"))
    let text = String(decoding: try AtomicFile.read(store.path(.services, id: "web")), as: UTF8.self)
    let value = try Dynamic(json: Array(text.utf8))
    #expect(value["Token"]?.string == "secret")
    #expect(value["Source"]?.string == "remote")
    #expect(value["LocallyRegisteredAsSidecar"]?.bool == true)
    #expect(value["Service"]?["ID"]?.string == "web")
    try store.save(check("c"))
    let check = try Dynamic(json: AtomicFile.read(store.path(.checks, id: "c")))
    #expect(check["ChkType"]?["TTL"]?.string == "10m0s")
    #expect(check["Check"]?["CheckID"]?.string == "c")
  }

  @Test("a file torn at any place is put aside; the others are loaded")
  func tornFiles() throws {
    try store.save(service("whole"))
    let bytes = Array(service("torn").json.utf8)
    let path = store.path(.services, id: "torn")
    for length in 0..<bytes.count {
      try AtomicFile.write(Array(bytes[..<length]), to: path)
      #expect(store.loadServices().map(\.service.id) == ["whole"], "cut at \(length)")
      #expect(AtomicFile.names(in: folder.path + "/services").contains { $0.hasSuffix(".corrupt") })
    }
    #expect(store.loadServices().map(\.service.id) == ["whole"])
  }

  @Test("whatever a file holds, loading goes on", arguments: [UInt64(1), 2, 3, 4])
  func fuzz(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    try store.save(check("good"))
    let bytes = Array(check("x").json.utf8)
    for _ in 0..<100 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try AtomicFile.write(damaged, to: folder.path + "/checks/anything")
      #expect(store.loadChecks().contains { $0.check.checkID == "good" }, "seed \(seed)")
    }
  }

  @Test("what a crash left half written is removed, what has another name is moved")
  func leftovers() throws {
    try store.save(check("c"))
    let directory = folder.path + "/checks"
    try AtomicFile.write(Array(check("d").json.utf8), to: directory + "/8277e0910d750195b448797616e091ad")
    try AtomicFile.write([1, 2, 3], to: directory + "/half.tmp")
    #expect(Set(store.loadChecks().map(\.check.checkID)) == ["c", "d"])
    #expect(
      Set(AtomicFile.names(in: directory)) == [RegistrationStore.fileName("c"), RegistrationStore.fileName("d")])
  }

  @Test("the state of a check counts until it expires")
  func checkState() throws {
    var state = PersistedCheckState()
    state.checkID = "c"
    state.status = "warning"
    state.output = "remember"
    state.expires = 1000
    try store.save(state)
    #expect(store.loadState(ofCheck: "c", now: 1000) == state)
    #expect(store.loadState(ofCheck: "other", now: 1000) == nil)
    #expect(store.loadState(ofCheck: "c", now: 1001) == nil)
    #expect(store.loadState(ofCheck: "c", now: 1) == nil)
    try AtomicFile.write(Array("{".utf8), to: store.path(.states, id: "c"))
    #expect(store.loadState(ofCheck: "c", now: 1) == nil)
  }

  @Test("a directory that cannot be written is an error with its path")
  func unwritable() throws {
    try AtomicFile.write([1], to: folder.path + "/services")
    let error = #expect(throws: FileError.self) { try store.save(service("web")) }
    #expect(error?.path.hasPrefix(folder.path) == true)
  }
}
