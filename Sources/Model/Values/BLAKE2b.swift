/// BLAKE2b without a key (RFC 7693): what the hashes of access control records are made with, here and in the reference, so
/// that datacenters agree about which records differ.
public struct BLAKE2b: Sendable {
  private static let initial: [UInt64] = [
    0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
  ]
  private static let permutations: [[Int]] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
  ]
  private static let blockLength = 128

  private let length: Int
  private var state: [UInt64]
  private var block: [UInt8] = []
  /// Bytes that went into `state`. Inputs beyond 2^64 bytes do not occur.
  private var count: UInt64 = 0

  /// - Parameter length: bytes of the digest, 1 to 64.
  public init(length: Int = 32) {
    precondition((1...64).contains(length), "a BLAKE2b digest has 1 to 64 bytes")
    self.length = length
    state = Self.initial
    state[0] ^= 0x0101_0000 ^ UInt64(length)
  }

  public mutating func update(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      // The last block is treated in another way: a full one waits until it is known not to be the last.
      if block.count == Self.blockLength { compress(isLast: false) }
      block.append(byte)
    }
  }

  public mutating func update(_ text: String) { update(text.utf8) }

  /// Ends the input.
  public consuming func digest() -> [UInt8] {
    compress(isLast: true)
    var bytes: [UInt8] = []
    for word in state { for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift * 8))) } }
    return Array(bytes.prefix(length))
  }

  /// The digest of one text.
  public static func digest(_ text: String, length: Int = 32) -> [UInt8] {
    var hash = BLAKE2b(length: length)
    hash.update(text)
    return hash.digest()
  }

  private mutating func compress(isLast: Bool) {
    count &+= UInt64(block.count)
    block += [UInt8](repeating: 0, count: Self.blockLength - block.count)
    var words = [UInt64](repeating: 0, count: 16)
    for (place, byte) in block.enumerated() {
      let shift = UInt64(place % 8 * 8)
      words[place / 8] |= UInt64(byte) << shift
    }
    var v = state + Self.initial
    v[12] ^= count
    if isLast { v[14] = ~v[14] }
    for round in 0..<12 {
      let order = Self.permutations[round % 10]
      Self.mix(&v, 0, 4, 8, 12, words[order[0]], words[order[1]])
      Self.mix(&v, 1, 5, 9, 13, words[order[2]], words[order[3]])
      Self.mix(&v, 2, 6, 10, 14, words[order[4]], words[order[5]])
      Self.mix(&v, 3, 7, 11, 15, words[order[6]], words[order[7]])
      Self.mix(&v, 0, 5, 10, 15, words[order[8]], words[order[9]])
      Self.mix(&v, 1, 6, 11, 12, words[order[10]], words[order[11]])
      Self.mix(&v, 2, 7, 8, 13, words[order[12]], words[order[13]])
      Self.mix(&v, 3, 4, 9, 14, words[order[14]], words[order[15]])
    }
    for index in 0..<8 { state[index] ^= v[index] ^ v[index + 8] }
    block.removeAll(keepingCapacity: true)
  }

  private static func mix(_ v: inout [UInt64], _ a: Int, _ b: Int, _ c: Int, _ d: Int, _ x: UInt64, _ y: UInt64) {
    func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word >> count | word << (64 - count) }
    v[a] = v[a] &+ v[b] &+ x
    v[d] = rotated(v[d] ^ v[a], 32)
    v[c] = v[c] &+ v[d]
    v[b] = rotated(v[b] ^ v[c], 24)
    v[a] = v[a] &+ v[b] &+ y
    v[d] = rotated(v[d] ^ v[a], 16)
    v[c] = v[c] &+ v[d]
    v[b] = rotated(v[b] ^ v[c], 63)
  }
}
