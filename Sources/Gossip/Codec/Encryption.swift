import Crypto

/// AES in Galois/counter mode: version byte, nonce, ciphertext, tag. Version 0 pads to blocks (PKCS#7), version 1 does not.
enum Encryption {
  static let versionMaximum: UInt8 = 1
  static let nonceCount = 12
  static let tagCount = 16
  private static let blockCount = 16

  /// The bytes that encryption adds at most.
  static func overhead(version: UInt8) -> Int {
    1 + nonceCount + tagCount + (version == 0 ? blockCount : 0)
  }

  /// How many bytes `count` bytes become.
  static func sealedCount(_ count: Int, version: UInt8) -> Int {
    let padding = version == 0 ? blockCount - count % blockCount : 0
    return 1 + nonceCount + count + padding + tagCount
  }

  /// - Parameters:
  ///   - nonce: 12 bytes that were never used with this key.
  ///   - authenticated: bytes that are not part of the result but must be the same when it is opened.
  static func seal(
    _ plaintext: [UInt8], version: UInt8, key: [UInt8], nonce: [UInt8], authenticated: [UInt8]
  ) throws(GossipError) -> [UInt8] {
    var padded = plaintext
    if version == 0 {
      let padding = blockCount - plaintext.count % blockCount
      padded += [UInt8](repeating: UInt8(padding), count: padding)
    }
    do {
      let box = try AES.GCM.seal(
        padded, using: SymmetricKey(data: key), nonce: AES.GCM.Nonce(data: nonce), authenticating: authenticated)
      return [version] + nonce + box.ciphertext + box.tag
    } catch {
      throw .keySize
    }
  }

  /// Tries the keys in order.
  ///
  /// - Throws: `encryptionVersion`, `truncated`, `noKeyFits`.
  static func open(
    _ bytes: UnsafeRawBufferPointer, keyring: GossipKeyring, authenticated: [UInt8]
  ) throws(GossipError) -> [UInt8] {
    guard let version = bytes.first else { throw .truncated(part: "encrypted message") }
    guard version <= versionMaximum else { throw .encryptionVersion(version) }
    guard bytes.count >= overhead(version: version) else { throw .truncated(part: "encrypted message") }
    let nonce = bytes[1..<1 + nonceCount]
    let ciphertext = bytes[(1 + nonceCount)..<(bytes.count - tagCount)]
    let tag = bytes[(bytes.count - tagCount)...]
    for key in keyring.keys {
      guard
        let box = try? AES.GCM.SealedBox(nonce: AES.GCM.Nonce(data: nonce), ciphertext: ciphertext, tag: tag),
        let plaintext = try? AES.GCM.open(box, using: SymmetricKey(data: key), authenticating: authenticated)
      else { continue }
      return version == 0 ? try unpadded(Array(plaintext)) : Array(plaintext)
    }
    throw .noKeyFits
  }

  private static func unpadded(_ bytes: [UInt8]) throws(GossipError) -> [UInt8] {
    guard let padding = bytes.last.map(Int.init), (1...blockCount).contains(padding), padding <= bytes.count else {
      throw .truncated(part: "padding")
    }
    return Array(bytes.dropLast(padding))
  }
}
