import Glibc
import NIOCore
import NIOSSL

/// Says why a TLS handshake failed. The library reports that a certificate was refused, not what was wrong with it; that is
/// found out from the certificate, in the order in which verification looks: time, names, authority.
struct TLSFailure {
  /// The name that the certificate has to carry: a DNS name or an IP address.
  let expected: String
  /// Seconds since 1970.
  let now: Int

  func describe(_ error: any Error, certificate: NIOSSLCertificate?) -> NetworkFailure {
    switch error {
    case let failure as NetworkFailure: return failure
    case let error as IOError: return handshake("read: \(errnoText(error.errnoCode))")
    case NIOSSLError.uncleanShutdown, is ChannelError: return NetworkFailure("EOF", .handshake)
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
      return refused(certificate, fallback: "names do not match")
    case NIOSSLError.handshakeFailed(let error): return describe(error, certificate: certificate)
    case BoringSSLError.sslError(let stack), BoringSSLError.unknownError(let stack):
      return describe(stack, certificate: certificate)
    default: return handshake("\(error)")
    }
  }

  private func describe(_ stack: NIOBoringSSLErrorStack, certificate: NIOSSLCertificate?) -> NetworkFailure {
    let text = stack.map(\.description).joined(separator: "; ")
    if stack.contains(.eofDuringHandshake) { return NetworkFailure("EOF", .handshake) }
    if text.contains("CERTIFICATE_VERIFY_FAILED") {
      return refused(certificate, fallback: "certificate signed by unknown authority")
    }
    if ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_RECORD"].contains(where: text.contains) {
      return handshake("first record does not look like a TLS handshake")
    }
    // `Error: 268436502 error:…:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE at file:line`
    let reason = text.split(separator: ":").first { $0.contains(" at ") }
    let words = reason?.split(separator: " ").first.map { $0.lowercased().split(separator: "_").joined(separator: " ") }
    return handshake(words ?? text)
  }

  private func handshake(_ text: String) -> NetworkFailure { NetworkFailure("tls: \(text)", .handshake) }

  private func refused(_ certificate: NIOSSLCertificate?, fallback: String) -> NetworkFailure {
    refusal(certificate) ?? handshake("failed to verify certificate: x509: \(fallback)")
  }

  /// Why a certificate is none of the expected peer at this time, whoever signed it; nil if it is.
  func refusal(_ certificate: NIOSSLCertificate?) -> NetworkFailure? {
    certificate.flatMap(problem).map { handshake("failed to verify certificate: x509: \($0)") }
  }

  /// What is wrong with the time or the names of a certificate; nil when neither is.
  private func problem(_ certificate: NIOSSLCertificate) -> String? {
    let expired = "certificate has expired or is not yet valid: current time \(rfc3339(now))"
    if now < certificate.notValidBefore { return "\(expired) is before \(rfc3339(certificate.notValidBefore))" }
    if now > certificate.notValidAfter { return "\(expired) is after \(rfc3339(certificate.notValidAfter))" }
    var dnsNames: [String] = []
    var addresses: [[UInt8]] = []
    for name in certificate._subjectAlternativeNames() {
      if name.nameType == .dnsName { dnsNames.append(String(decoding: name.contents, as: UTF8.self)) }
      if name.nameType == .ipAddress { addresses.append(Array(name.contents)) }
    }
    if let address = ipBytes(expected) {
      if addresses.isEmpty {
        return "cannot validate certificate for \(expected) because it doesn't contain any IP SANs"
      }
      if addresses.contains(address) { return nil }
      return "certificate is valid for \(addresses.map(ipText).joined(separator: ", ")), not \(expected)"
    }
    if dnsNames.isEmpty { return "certificate is not valid for any names, but wanted to match \(expected)" }
    if dnsNames.contains(where: { covers($0, expected) }) { return nil }
    return "certificate is valid for \(dnsNames.joined(separator: ", ")), not \(expected)"
  }

  /// Whether a name of a certificate stands for a host: equal but for case, or a `*` for the host's first label (RFC 6125).
  private func covers(_ pattern: String, _ host: String) -> Bool {
    let pattern = pattern.lowercased()
    let host = (host.hasSuffix(".") ? host.dropLast() : host[...]).lowercased()
    if pattern == host { return true }
    guard pattern.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
    return host[dot...] == pattern.dropFirst()
  }
}

/// The bytes of an IP address in text; nil for a name.
func ipBytes(_ text: String) -> [UInt8]? {
  for (family, size) in [(AF_INET, 4), (AF_INET6, 16)] {
    var bytes = [UInt8](repeating: 0, count: size)
    if inet_pton(family, text, &bytes) == 1 { return bytes }
  }
  return nil
}

private func ipText(_ bytes: [UInt8]) -> String {
  let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0)
  return address?.ipAddress ?? "?"
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
