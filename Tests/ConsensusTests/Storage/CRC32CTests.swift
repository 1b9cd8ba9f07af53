import Testing

@testable import Consensus

@Suite struct CRC32CTests {
  /// RFC 3720, appendix B.4.
  static let vectors: [(bytes: [UInt8], sum: UInt32)] = [
    ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
    ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
    ((0..<32).map { UInt8($0) }, 0x46dd_794e),
    ((0..<32).reversed().map { UInt8($0) }, 0x113f_db5c),
    (Array("123456789".utf8), 0xe306_9283),
  ]

  @Test(arguments: vectors) func matchesTheStandardsVectors(vector: (bytes: [UInt8], sum: UInt32)) {
    #expect(vector.bytes.withUnsafeBytes { CRC32C.of($0) } == vector.sum)
  }

  @Test func piecesGiveTheSameAsTheWhole() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let whole = bytes.withUnsafeBytes { CRC32C.of($0) }
    for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
      var sum = CRC32C()
      bytes[..<cut].withUnsafeBytes { sum.update($0) }
      bytes[cut...].withUnsafeBytes { sum.update($0) }
      #expect(sum.value == whole)
    }
  }
}
