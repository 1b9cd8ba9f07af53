import Mesh
import Model
import Testing

@Suite struct ConfigEntryRecordTests {
  @Test(arguments: ConfigEntryKind.allCases)
  func anEntryOfEachKindTravelsAsMessagePack(_ kind: ConfigEntryKind) throws {
    var record = kind.type.init()
    if kind != .mesh { record.common.name = "web" }
    record.common.meta["owner"] = "team"
    record.common.modifyIndex = 7
    let entry = ConfigEntry(record).hashed()
    var writer = MessagePackWriter()
    writer.string(kind.rawValue)
    entry.encodeFields(&writer)
    let decoded = try writer.bytes.withUnsafeBytes { bytes in
      var reader = MessagePackReader(bytes)
      return try ConfigEntry.read(&reader)
    }
    #expect(decoded == entry)
    #expect(decoded?.record.json.contains(#""Kind":"\#(kind.rawValue)""#) == true)
  }

  @Test func theHashIsOfTheContentAlone() {
    var defaults = ServiceDefaults(name: "web")
    let before = ConfigEntry(defaults).hashed()
    defaults.common.modifyIndex = 9
    #expect(ConfigEntry(defaults).hashed().record.common.hash == before.record.common.hash)
    defaults.protocol = "http"
    #expect(ConfigEntry(defaults).hashed().record.common.hash != before.record.common.hash)
  }
}
