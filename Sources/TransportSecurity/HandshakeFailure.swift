import Glibc
import NIOCore
import NIOSSL

/// Says why a TLS handshake failed. The library reports that a certificate was refused, not what was wrong with it; that is
/// found out from the certificate, in the order in which verification looks: time, names, authority.
public struct HandshakeFailure: Sendable {
  /// The name that the certificate has to carry: a DNS name or an IP address; "" for any.
  public let expected: String
  /// Seconds since 1970.
  public let now: Int

  public init(expected: String, now: Int) {
    self.expected = expected
    self.now = now
  }

  /// - Parameter certificate: what the peer presented, as far as the handshake came.
  /// - Returns: `tls: …`, or `EOF` if the peer went away.
  public func describe(_ error: any Error, certificate: NIOSSLCertificate?) -> String {
    switch error {
    case let error as IOError: return "tls: read: \(systemText(error.errnoCode))"
    case NIOSSLError.uncleanShutdown, is ChannelError: return "EOF"
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      return refused(certificate, fallback: "names do not match")
    case NIOSSLError.handshakeFailed(let error): return describe(error, certificate: certificate)
    case BoringSSLError.sslError(let stack), BoringSSLError.unknownError(let stack):
      return describe(stack, certificate: certificate)
    default: return "tls: \(error)"
    }
  }

  private func describe(_ stack: NIOBoringSSLErrorStack, certificate: NIOSSLCertificate?) -> String {
    let text = stack.map(\.description).joined(separator: "; ")
    if stack.contains(.eofDuringHandshake) { return "EOF" }
    if text.contains("CERTIFICATE_VERIFY_FAILED") {
      return refused(certificate, fallback: "certificate signed by unknown authority")
    }
    if ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_RECORD"].contains(where: text.contains) {
      return "tls: first record does not look like a TLS handshake"
    }
    guard let reason = Self.reason(in: text) else { return "tls: \(text)" }
    for prefix in ["tlsv1 alert ", "sslv3 alert "] where reason.hasPrefix(prefix) {
      let alert = String(reason.dropFirst(prefix.count))
      return "remote error: tls: \(Self.alerts[alert] ?? alert)"
    }
    return "tls: \(reason)"
  }

  /// `Error: 268436502 error:…:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE at file:line`, in words.
  private static func reason(in text: String) -> String? {
    let part = text.split(separator: ":").first { $0.contains(" at ") }
    return part?.split(separator: " ").first.map { $0.lowercased().split(separator: "_").joined(separator: " ") }
  }

  /// What the other end complains of (RFC 8446, section 6.2), where users know other words for it.
  private static let alerts = [
    "protocol version": "protocol version not supported", "unknown ca": "unknown certificate authority",
    "certificate expired": "expired certificate", "certificate revoked": "revoked certificate",
    "certificate unknown": "unknown certificate",
  ]

  private func refused(_ certificate: NIOSSLCertificate?, fallback: String) -> String {
    refusal(certificate) ?? "tls: failed to verify certificate: x509: \(fallback)"
  }

  /// Why a certificate is none of the expected peer at this time, whoever signed it; nil if it is.
  public func refusal(_ certificate: NIOSSLCertificate?) -> String? {
    certificate.flatMap(problem).map { "tls: failed to verify certificate: x509: \($0)" }
  }

  /// What is wrong with the time or the names of a certificate; nil when neither is.
  private func problem(_ certificate: NIOSSLCertificate) -> String? {
    let expired = "certificate has expired or is not yet valid: current time \(rfc3339(now))"
    if now < certificate.notValidBefore { return "\(expired) is before \(rfc3339(certificate.notValidBefore))" }
    if now > certificate.notValidAfter { return "\(expired) is after \(rfc3339(certificate.notValidAfter))" }
    if expected.isEmpty { return nil }
    let names = CertificateNames(certificate)
    if let address = IPBytes.parse(expected) {
      if names.addresses.isEmpty {
        return "cannot validate certificate for \(expected) because it doesn't contain any IP SANs"
      }
      if names.addresses.contains(address) { return nil }
      return "certificate is valid for \(names.addresses.map(IPBytes.text).joined(separator: ", ")), not \(expected)"
    }
    if names.dnsNames.isEmpty { return "certificate is not valid for any names, but wanted to match \(expected)" }
    if names.cover(expected) { return nil }
    return "certificate is valid for \(names.dnsNames.joined(separator: ", ")), not \(expected)"
  }
}

/// Whom a certificate names.
public struct CertificateNames: Sendable, Equatable {
  public private(set) var dnsNames: [String] = []
  /// 4 or 16 bytes each.
  public private(set) var addresses: [[UInt8]] = []
  /// Whether it names a workload of the mesh, as all certificates do that the cluster's own authority makes (SPIFFE).
  public private(set) var hasWorkloadIdentity = false

  public init(_ certificate: NIOSSLCertificate) {
    for name in certificate._subjectAlternativeNames() {
      if name.nameType == .dnsName { dnsNames.append(String(decoding: name.contents, as: UTF8.self)) }
      if name.nameType == .ipAddress { addresses.append(Array(name.contents)) }
      if name.nameType == .uri, String(decoding: name.contents, as: UTF8.self).hasPrefix("spiffe:") {
        hasWorkloadIdentity = true
      }
    }
  }

  /// Whether a name stands for a host: equal but for case, or a `*` for the host's first label (RFC 6125).
  func cover(_ host: String) -> Bool {
    let host = (host.hasSuffix(".") ? host.dropLast() : host[...]).lowercased()
    return dnsNames.contains { name in
      let name = name.lowercased()
      if name == host { return true }
      guard name.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
      return host[dot...] == name.dropFirst()
    }
  }
}

/// IP addresses between text and bytes.
public enum IPBytes {
  /// Nil for a name.
  public static func parse(_ text: String) -> [UInt8]? {
    for (family, size) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: size)
      if inet_pton(family, text, &bytes) == 1 { return bytes }
    }
    return nil
  }

  public static func text(_ bytes: [UInt8]) -> String {
    let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0)
    return address?.ipAddress ?? "?"
  }
}

/// `2026-03-01T12:00:00Z`
private func rfc3339(_ seconds: Int) -> String {
  var time = time_t(seconds)
  var parts = tm()
  gmtime_r(&time, &parts)
  func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
  let date = "\(Int(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
  return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
}
