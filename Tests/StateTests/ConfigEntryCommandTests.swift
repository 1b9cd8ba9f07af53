import Mesh
import Model
import Testing

@testable import State

/// How the log carries config entries and intentions.
@Suite struct ConfigEntryCommandTests {
  static func intentionRequest() -> IntentionRequest {
    var mutation = IntentionMutation()
    (mutation.id, mutation.destination, mutation.source) = ("id-1", ServiceName("db"), ServiceName("web"))
    var source = intentionSource("web", "", peer: "east", id: "id-1")
    (source.description, source.legacyMeta, source.precedence) = ("why", ["a": "b"], 9)
    source.legacyCreateTime = Timestamp(unixSeconds: 1_700_000_000)
    var permission = IntentionPermission()
    (permission.action, permission.http) = ("deny", IntentionHTTPPermission())
    permission.http?.methods = ["GET", "PUT"]
    var header = IntentionHTTPHeaderPermission()
    (header.name, header.present) = ("x-token", true)
    permission.http?.header = [header]
    source.permissions = [permission]
    mutation.value = source
    var request = IntentionRequest()
    (request.datacenter, request.op, request.token, request.mutation) = ("dc1", "upsert", "secret", mutation)
    return request
  }

  static func configEntryRequests() throws -> [ConfigEntryRequest] {
    try SampleEntries.all().map { entry in
      var request = ConfigEntryRequest(.upsertIfUnchanged, entry.hashed())
      (request.datacenter, request.token) = ("dc1", "secret")
      request.entry.record.common.modifyIndex = .max
      return request
    }
  }

  @Test func entriesOfAllKindsSurviveTheLog() throws {
    for request in try Self.configEntryRequests() {
      let command = Command.configEntry(request)
      let bytes = command.encode()
      #expect(bytes.first == 22)
      #expect(try Command(decoding: bytes) == command, "\(request.entry.kind)")
      guard case .configEntry(let read) = try Command(decoding: bytes) else {
        Issue.record("another command")
        continue
      }
      #expect(read.entry == request.entry && read.op == "upsert-cas")
      #expect(read.datacenter == "dc1" && read.token == "secret")
      #expect(read.entry.modifyIndex == .max)
    }
  }

  @Test(arguments: ConfigEntryOp.allCases) func everyOperationHasItsName(op: ConfigEntryOp) throws {
    let names: [ConfigEntryOp: String] = [
      .upsert: "upsert", .upsertIfUnchanged: "upsert-cas", .upsertStatusIfUnchanged: "upsert-with-status-cas",
      .delete: "delete", .deleteIfUnchanged: "delete-cas",
    ]
    #expect(ConfigEntryRequest(op, defaults("web")).op == names[op])
  }

  @Test func changesOfIntentionsSurviveTheLog() throws {
    var requests = [Self.intentionRequest(), IntentionRequest()]
    var old = IntentionRequest()
    (old.op, old.intention) = ("create", Intention())
    old.intention?.sourceName = "web"
    requests.append(old)
    for request in requests {
      let bytes = Command.intention(request).encode()
      #expect(bytes.first == 12)
      #expect(try Command(decoding: bytes) == .intention(request))
    }
  }

  /// A body of config entries: the string, in which everything is.
  private static func wrapped(_ write: (inout MessagePackWriter) -> Void) -> [UInt8] {
    var inner = MessagePackWriter()
    write(&inner)
    var writer = MessagePackWriter()
    Bytes(inner.bytes).encode(&writer)
    return [22] + writer.bytes
  }

  static let malformed: [(what: String, bytes: [UInt8])] = [
    ("no body", [22]), ("nothing", [22, 0xC0]), ("a map", [22, 0x80]), ("a number", [22, 7]),
    ("an empty string", [22, 0xA0]), ("less than it says", [22, 0xA5, 0xA4, 0x6D]),
    ("an unknown kind", wrapped { $0.string("service-dreams") }),
    ("no kind", wrapped { $0.string("") }),
    ("a kind alone", wrapped { $0.string("mesh") }),
    (
      "more members than there are",
      wrapped {
        $0.string("mesh")
        $0.raw([0xDF, 0xFF, 0xFF, 0xFF, 0xFF])
      }
    ),
    (
      "a list instead of members",
      wrapped {
        $0.string("mesh")
        $0.raw([0x90])
      }
    ),
    (
      "an operation that is a number",
      wrapped {
        $0.string("mesh")
        $0.mapHeader(1)
        $0.string("Op")
        $0.raw([7])
      }
    ),
    (
      "proxy defaults that are wrapped once",
      wrapped {
        $0.string("proxy-defaults")
        $0.mapHeader(1)
        $0.string("Entry")
        ProxyDefaults(name: "global").encode(&$0)
      }
    ),
    (
      "other entries that are wrapped twice",
      wrapped {
        $0.string("service-defaults")
        $0.mapHeader(1)
        $0.string("Entry")
        Bytes(ServiceDefaults(name: "web").messagePack).encode(&$0)
      }
    ),
    (
      "endless depth",
      wrapped {
        $0.string("proxy-defaults")
        $0.mapHeader(1)
        $0.string("Entry")
        var entry = MessagePackWriter()
        entry.mapHeader(1)
        entry.string("Config")
        entry.mapHeader(1)
        entry.string("a")
        entry.raw([UInt8](repeating: 0x91, count: 100_000))
        Bytes(entry.bytes).encode(&$0)
      }
    ),
    (
      "unknown members of endless depth",
      wrapped {
        $0.string("mesh")
        $0.mapHeader(1)
        $0.string("Later")
        $0.raw([UInt8](repeating: 0x91, count: 100_000))
      }
    ),
    ("no body of an intention", [12]), ("a number for an intention", [12, 7]),
    ("an intention that is cut off", Array(Command.intention(intentionRequest()).encode().dropLast())),
  ]

  @Test(arguments: malformed.indices) func whatIsMalformedIsRefused(place: Int) {
    let (what, bytes) = Self.malformed[place]
    do throws(StateError) {
      let command = try Command(decoding: bytes)
      Issue.record("\(what) was read as \(command)")
    } catch {
      guard case .malformedCommand(let type, _) = error else {
        Issue.record("\(what): \(error)")
        return
      }
      #expect(type == bytes.first, "\(what)")
    }
  }

  @Test func membersThatThisReleaseDoesNotKnowAreSkipped() throws {
    let bytes = Self.wrapped {
      $0.string("service-defaults")
      $0.mapHeader(3)
      $0.string("Later")
      $0.raw([0x91, 0x81, 0xA1, 0x61, 0xC3])
      $0.string("Entry")
      defaults("web", "http").encodeFields(&$0)
      $0.string("Op")
      $0.string("upsert")
    }
    #expect(try Command(decoding: bytes) == .configEntry(ConfigEntryRequest(.upsert, defaults("web", "http"))))
  }

  // MARK: Damage

  /// The commands to be damaged, as their parts: the type and the content of the wrapping, if there is one.
  private static func corpus() throws -> [(type: UInt8, content: [UInt8], isWrapped: Bool)] {
    try configEntryRequests().map { request in
      let content = try request.messagePack.withUnsafeBytes { bytes in
        var reader = MessagePackReader(bytes)
        return Array(try reader.rawString())
      }
      return (22, content, true)
    } + [(12, intentionRequest().messagePack, false)]
  }

  private static func damaged(_ bytes: [UInt8], by other: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<8, using: &generator) {
      case 0: bytes.removeSubrange(place...)
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
      // The beginnings of values of any length: the most interesting bytes.
      case 3: bytes[place] = UInt8.random(in: 0xC0...0xDF, using: &generator)
      case 4:
        let start = Int.random(in: 0..<other.count, using: &generator)
        bytes.replaceSubrange(place..., with: other[start...])
      case 5: bytes.insert(contentsOf: [UInt8](repeating: 0x91, count: 200), at: place)
      default: bytes[place] = UInt8.random(in: 0...255, using: &generator)
      }
    }
    return bytes
  }

  @Test(arguments: 1...40) func damagedCommandsNeverCrashAndWhatIsAcceptedIsWhole(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let corpus = try Self.corpus()
    let catalog = Catalog()
    for entry in try SampleEntries.all() { catalog.write(entry) }
    for _ in 0..<400 {
      let victim = try #require(corpus.randomElement(using: &generator))
      let other = try #require(corpus.randomElement(using: &generator))
      var bytes = Self.damaged(victim.content, by: other.content, &generator)
      // Damage within a wrapping that is sound gets deeper than damage of the wrapping.
      if victim.isWrapped, Int.random(in: 0..<16, using: &generator) > 0 {
        var writer = MessagePackWriter()
        Bytes(bytes).encode(&writer)
        bytes = writer.bytes
      }
      guard let command = try? Command(decoding: [victim.type] + bytes) else { continue }
      let encoded = command.encode()
      #expect(try Command(decoding: encoded).encode() == encoded, "seed \(seed)")
      catalog.apply(command)
    }
    let written = try stream(of: catalog.state)
    let copy = try restored(written).current
    #expect(try stream(of: copy) == written, "seed \(seed)")
    #expect(copy.intentions().value.count == catalog.state.intentions().value.count, "seed \(seed)")
  }

  @Test(arguments: 1...20) func damagedEntriesInSnapshotsNeverCrash(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed) &+ 1000)
    let corpus = try Self.corpus().filter(\.isWrapped)
    for _ in 0..<200 {
      let victim = try #require(corpus.randomElement(using: &generator))
      let other = try #require(corpus.randomElement(using: &generator))
      var writer = MessagePackWriter()
      Bytes(Self.damaged(victim.content, by: other.content, &generator)).encode(&writer)
      do {
        let state = try restored([0x80, SnapshotRecord.configEntry] + writer.bytes).current
        #expect(state.tables.configEntries.count == 1, "seed \(seed)")
      } catch SnapshotError.malformed(let offset, _) {
        #expect(offset == 1, "seed \(seed)")
      } catch {
        Issue.record("seed \(seed): \(error)")
      }
    }
  }
}
