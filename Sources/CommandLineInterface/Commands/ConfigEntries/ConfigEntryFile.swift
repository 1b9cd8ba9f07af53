import ConsulClient
import HCL
import Mesh
import Model

/// Files that describe a config entry, in HCL or JSON.
enum ConfigEntryFile {
  /// - Parameter path: `-` is standard input.
  static func load(_ path: String, _ invocation: Invocation) throws -> ConfigEntry {
    let bytes: [UInt8]
    do {
      bytes = try path == "-" ? invocation.console.readInput() : FileReader.read(path)
    } catch {
      throw CommandFailure("Failed to load data: Failed to read file: \(error)")
    }
    return try decode(bytes)
  }

  static func decode(_ bytes: [UInt8]) throws -> ConfigEntry {
    let failure = "Failed to decode config entry input: "
    let document: HCLObject
    do throws(HCLError) {
      document = try HCL.parse(bytes)
    } catch {
      throw CommandFailure(failure + failure + error.description)
    }
    do throws(ConfigEntryError) {
      return try ConfigEntry(body: document.plain, blocks: true)
    } catch {
      throw CommandFailure(failure + error.description)
    }
  }
}
