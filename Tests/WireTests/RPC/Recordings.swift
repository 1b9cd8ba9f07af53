import Foundation

/// Connections to a server's port as the reference's agents had them. They lie beside the project.
enum Recordings {
  static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "../shared/golden").standardizedFileURL

  static let isPresent = FileManager.default.fileExists(atPath: folder.appending(path: "rpc/client-agent.json").path)

  struct Connection {
    var client: [UInt8]
    var server: [UInt8]
    var decoded: [String: Any]
  }

  static func connection(_ name: String) throws -> Connection {
    let data = try Data(contentsOf: folder.appending(path: "\(name).json"))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    return Connection(
      client: bytes(object["client_hex"] as? String ?? ""), server: bytes(object["server_hex"] as? String ?? ""),
      decoded: object["decoded"] as? [String: Any] ?? [:])
  }

  static func bytes(_ hex: String) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(hex.utf8.count / 2)
    var high: UInt8?
    for digit in hex.utf8 {
      let value = digit <= 0x39 ? digit &- 0x30 : (digit | 0x20) &- 0x57
      if let first = high {
        result.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return result
  }
}

/// A generator that repeats its numbers for the same seed (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014).
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }
}
