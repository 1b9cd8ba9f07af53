import Model

/// Puts messages into datagrams and streams and takes them out: label, encryption, checksum, compression
/// (wire/gossip.md, sections 1 and 3).
struct PacketCodec: Sendable {
  /// Empty: none.
  var label = ""
  var keyring = GossipKeyring()
  /// Whether plaintext is refused although there are keys.
  var verifiesIncoming = true
  /// Whether what is sent is encrypted if there are keys.
  var verifiesOutgoing = true
  var compresses = true
  /// The version of the membership protocol that is spoken.
  var protocolVersion = ProtocolVersions.own.current

  private static let streamMessageMaximum = 20 << 20
  private static let inflatedMaximum = 40 << 20

  var encryptionVersion: UInt8 { protocolVersion <= 1 ? 0 : 1 }
  private var encrypts: Bool { !keyring.isEmpty && verifiesOutgoing }

  /// Bytes that a datagram has beside its message.
  var overhead: Int {
    (label.isEmpty ? 0 : 2 + label.utf8.count)
      + (encrypts ? Encryption.overhead(version: encryptionVersion) : 0)
  }

  // MARK: Datagrams

  /// - Parameter checksum: whether the receiver is known to understand checksums.
  func seal(
    _ message: [UInt8], checksum: Bool, using random: inout some RandomNumberGenerator
  ) throws(GossipError) -> [UInt8] {
    var content = message
    if compresses {
      let compressed = Self.compressed(message)
      if compressed.count < message.count { content = compressed }
    }
    if checksum {
      let sum = CRC32.checksum(content)
      content = [MessageType.hasChecksum.rawValue] + sum.bigEndianBytes + content
    }
    if encrypts, let key = keyring.primary {
      content = try Encryption.seal(
        content, version: encryptionVersion, key: key, nonce: Self.nonce(&random), authenticated: Array(label.utf8))
    }
    return Label.header(label) + content
  }

  /// The message of a datagram, still compressed if it is.
  func open(_ packet: [UInt8]) throws(GossipError) -> [UInt8] {
    try packet.withBytes { (packet) throws(GossipError) in
      let (found, rest) = try Label.split(packet)
      guard found.elementsEqual(label.utf8) else { throw .foreignLabel }
      return try Self.verified(try decrypted(rest))
    }
  }

  private func decrypted(_ bytes: UnsafeRawBufferPointer) throws(GossipError) -> [UInt8] {
    if keyring.isEmpty { return Array(bytes) }
    do throws(GossipError) {
      return try Encryption.open(bytes, keyring: keyring, authenticated: Array(label.utf8))
    } catch {
      if verifiesIncoming { throw error }
      return Array(bytes)
    }
  }

  private static func verified(_ bytes: [UInt8]) throws(GossipError) -> [UInt8] {
    guard bytes.first == MessageType.hasChecksum.rawValue else { return bytes }
    guard bytes.count >= 5 else { throw .truncated(part: "checksum") }
    let expected = bytes[1..<5].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard CRC32.checksum(bytes[5...]) == expected else { throw .wrongChecksum }
    return Array(bytes[5...])
  }

  private static func compressed(_ message: [UInt8]) -> [UInt8] {
    Compressed(content: Bytes(LZW.compress(message))).message(.compress)
  }

  private static func nonce(_ random: inout some RandomNumberGenerator) -> [UInt8] {
    (0..<Encryption.nonceCount).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  // MARK: Streams

  /// One direction of a stream.
  ///
  /// - Parameter opens: whether this side opened the connection; only it writes the label.
  func sealStream(
    _ message: [UInt8], opens: Bool, using random: inout some RandomNumberGenerator
  ) throws(GossipError) -> [UInt8] {
    var content = compresses ? Self.compressed(message) : message
    if encrypts, let key = keyring.primary {
      let count = UInt32(clamping: Encryption.sealedCount(content.count, version: encryptionVersion))
      let header = [MessageType.encrypt.rawValue] + count.bigEndianBytes
      content =
        header
        + (try Encryption.seal(
          content, version: encryptionVersion, key: key, nonce: Self.nonce(&random),
          authenticated: header + Array(label.utf8)))
    }
    return (opens ? Label.header(label) : []) + content
  }

  /// Reads one direction of a stream from what has arrived so far; nil: more is needed.
  ///
  /// - Parameter fromOpener: whether the other side opened the connection and therefore wrote the label.
  func openStream(_ bytes: [UInt8], fromOpener: Bool) throws(GossipError) -> StreamMessage? {
    do throws(GossipError) {
      return try bytes.withBytes { (bytes) throws(GossipError) in
        guard !bytes.isEmpty else { return nil }
        var rest = bytes
        if fromOpener {
          let (found, behind) = try Label.split(bytes)
          guard found.elementsEqual(label.utf8) else { throw .foreignLabel }
          rest = behind
        }
        return try content(rest)
      }
    } catch .truncated {
      return nil
    } catch .malformed(_, .incomplete) {
      return nil
    } catch .malformed(let message, .impossibleCount(let count, let offset)) {
      // The reader cannot know that more bytes will come; what remains too large is caught by the limits below.
      guard count <= Self.inflatedMaximum else {
        throw .malformed(message: message, .impossibleCount(count, offset: offset))
      }
      return nil
    }
  }

  private func content(_ bytes: UnsafeRawBufferPointer) throws(GossipError) -> StreamMessage? {
    guard let first = bytes.first else { return nil }
    guard first == MessageType.encrypt.rawValue else {
      if !keyring.isEmpty, verifiesIncoming { throw .notEncrypted }
      guard bytes.count <= Self.inflatedMaximum else { throw .tooLarge(part: "message", limit: Self.inflatedMaximum) }
      return try Self.message(bytes)
    }
    if keyring.isEmpty { throw .noKeys }
    guard bytes.count >= 5 else { return nil }
    let count = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
    guard count <= Self.streamMessageMaximum else {
      throw .tooLarge(part: "remote node state", limit: Self.streamMessageMaximum)
    }
    guard bytes.count >= 5 + count else { return nil }
    let plaintext = try Encryption.open(
      UnsafeRawBufferPointer(rebasing: bytes[5..<5 + count]), keyring: keyring,
      authenticated: Array(bytes[..<5]) + Array(label.utf8))
    return try Self.whole { () throws(GossipError) in
      try plaintext.withBytes { (bytes) throws(GossipError) in try Self.message(bytes) }
    }
  }

  private static func message(_ bytes: UnsafeRawBufferPointer) throws(GossipError) -> StreamMessage? {
    guard let first = bytes.first else { return nil }
    guard first == MessageType.compress.rawValue else { return try StreamMessage(bytes) }
    let inflated = try MessageDecoder.decompress(
      UnsafeRawBufferPointer(rebasing: bytes.dropFirst()), limit: inflatedMaximum)
    return try whole { () throws(GossipError) in
      try inflated.withBytes { (bytes) throws(GossipError) in try StreamMessage(bytes) }
    }
  }

  /// Where all bytes are there, an end that comes too early is an error and not a reason to wait.
  private static func whole(_ read: () throws(GossipError) -> StreamMessage?) throws(GossipError) -> StreamMessage {
    do throws(GossipError) {
      if let message = try read() { return message }
    } catch .truncated(let part) {
      throw .remote("truncated \(part)")
    } catch .malformed(let message, .incomplete) {
      throw .remote("truncated \(message)")
    } catch .malformed(let message, .impossibleCount) {
      throw .remote("truncated \(message)")
    }
    throw .remote("truncated message")
  }
}

extension UInt32 {
  var bigEndianBytes: [UInt8] { Swift.withUnsafeBytes(of: bigEndian) { Array($0) } }
}
