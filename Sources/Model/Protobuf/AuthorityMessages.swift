// The records of the certificate authority as messages (wire/protobuf.md, `hashicorp.consul.internal.connect`). Private keys
// have fields there, too, but nobody sends them.

extension CARoot: ProtobufMessage {
  public static let layout = ProtobufLayout<CARoot> {
    $0.field(1, \.id)
    $0.field(2, \.name)
    $0.field(3, \.serialNumber)
    $0.field(4, \.signingKeyID)
    $0.field(5, \.externalTrustDomain)
    $0.field(6, \.notBefore)
    $0.field(7, \.notAfter)
    $0.field(8, \.rootCert)
    $0.field(9, \.intermediateCerts)
    $0.field(10, \.signingCert)
    $0.field(12, \.active)
    $0.field(13, \.rotatedOutAt)
    $0.field(14, \.privateKeyType)
    $0.field(15, \.privateKeyBits)
    $0.indexes(16, \.createIndex, \.modifyIndex)
  }
}

extension IssuedCertificate: ProtobufMessage {
  public static let layout = ProtobufLayout<IssuedCertificate> {
    $0.field(1, \.serialNumber)
    $0.field(2, \.certPEM)
    $0.field(4, \.service)
    $0.field(5, \.serviceURI)
    $0.field(6, \.agent)
    $0.field(7, \.agentURI)
    $0.field(8, \.validAfter)
    $0.field(9, \.validBefore)
    $0.indexes(11, \.createIndex, \.modifyIndex)
    $0.field(12, \.kind)
    $0.field(13, \.kindURI)
    $0.field(14, \.serverURI)
  }
}

/// `Timestamp`: a message, always written; seconds count from 1970.
extension Timestamp: ProtobufValue {
  public func write(_ number: UInt32, _ writer: inout ProtobufWriter) {
    writer.message(number) { writer in
      UInt64(bitPattern: unixSeconds).write(1, &writer)
      Int(nanoseconds).write(2, &writer)
    }
  }

  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    var inner = try reader.message()
    var (seconds, rest): (Int64, Int) = (0, 0)
    while try inner.next() {
      switch inner.number {
      case 1: seconds = Int64(bitPattern: try inner.varint())
      case 2: try rest.read(&inner)
      default: try inner.skip()
      }
    }
    self = Timestamp(unixSeconds: seconds, nanoseconds: Int32(min(max(rest, 0), 999_999_999)))
  }
}
