import SwiftASN1
import X509

#if canImport(Glibc)
  import Glibc
#endif

/// Whom a certificate is for: attributes in the order in which they stand there.
public struct SubjectName: Sendable, Equatable {
  public enum Attribute: Sendable, Equatable {
    case country, state, locality, street, postalCode, organization, organizationalUnit, commonName

    /// ITU-T X.520.
    var identifier: ASN1ObjectIdentifier {
      switch self {
      case .country: [2, 5, 4, 6]
      case .state: [2, 5, 4, 8]
      case .locality: [2, 5, 4, 7]
      case .street: [2, 5, 4, 9]
      case .postalCode: [2, 5, 4, 17]
      case .organization: [2, 5, 4, 10]
      case .organizationalUnit: [2, 5, 4, 11]
      case .commonName: [2, 5, 4, 3]
      }
    }
  }

  public var attributes: [(attribute: Attribute, value: String)]

  public init(_ attributes: [(attribute: Attribute, value: String)]) { self.attributes = attributes }
  public init(commonName: String) { self.init([(.commonName, commonName)]) }

  public static func == (a: SubjectName, b: SubjectName) -> Bool {
    a.attributes.elementsEqual(b.attributes) { $0 == $1 }
  }

  var distinguishedName: DistinguishedName {
    get throws(CertificatesError) {
      do {
        return try DistinguishedName(
          attributes.map { attribute, value in
            // The country is a printable string of two letters (RFC 5280, appendix A.1).
            attribute == .country
              ? try RelativeDistinguishedName.Attribute(type: attribute.identifier, printableString: value)
              : RelativeDistinguishedName.Attribute(type: attribute.identifier, utf8String: value)
          })
      } catch {
        throw .malformed(what: "subject", reason: "\(error)")
      }
    }
  }
}

/// The names that the holder of a certificate is known by.
public struct AlternativeNames: Sendable, Equatable {
  public var dnsNames: [String]
  /// As text, IPv4 or IPv6.
  public var addresses: [String]
  public var uris: [String]

  public init(dnsNames: [String] = [], addresses: [String] = [], uris: [String] = []) {
    self.dnsNames = dnsNames
    self.addresses = addresses
    self.uris = uris
  }

  public var isEmpty: Bool { dnsNames.isEmpty && addresses.isEmpty && uris.isEmpty }

  init(_ names: SubjectAlternativeNames) {
    self.init()
    for name in names {
      switch name {
      case .dnsName(let name): dnsNames.append(name)
      case .uniformResourceIdentifier(let uri): uris.append(uri)
      case .ipAddress(let bytes):
        if let text = IPText.text(Array(bytes.bytes)) { addresses.append(text) }
      default: break
      }
    }
  }

  var general: SubjectAlternativeNames {
    get throws(CertificatesError) {
      var names: [GeneralName] = []
      for name in dnsNames {
        guard name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !name.isEmpty else {
          throw .malformed(what: "DNS name", reason: "\"\(name)\" has characters that a DNS name cannot have")
        }
        names.append(.dnsName(name))
      }
      for address in addresses {
        guard let bytes = IPText.bytes(address) else { throw .notAnAddress(address) }
        names.append(.ipAddress(ASN1OctetString(contentBytes: bytes[...])))
      }
      for uri in uris {
        guard uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !uri.isEmpty else {
          throw .malformed(what: "URI", reason: "\"\(uri)\" has characters that a URI cannot have")
        }
        names.append(.uniformResourceIdentifier(uri))
      }
      return SubjectAlternativeNames(names)
    }
  }
}

/// From when until when a certificate counts, in seconds since 1970.
public struct Validity: Sendable, Equatable {
  public let notBefore: Int64
  public let notAfter: Int64

  /// The years that certificates can carry: 1950 to 9999 (RFC 5280, section 4.1.2.5).
  static let range: ClosedRange<Int64> = -631_152_000...253_402_300_799

  /// - Throws: `CertificatesError.timeOutOfRange`
  public init(notBefore: Int64, notAfter: Int64) throws(CertificatesError) {
    guard Self.range.contains(notBefore), Self.range.contains(notAfter) else { throw .timeOutOfRange }
    self.notBefore = notBefore
    self.notAfter = notAfter
  }

  /// - Throws: `CertificatesError.timeOutOfRange`
  public init(from now: Int64, days: Int) throws(CertificatesError) {
    let (seconds, overflow) = Int64(days).multipliedReportingOverflow(by: 86400)
    let (end, overflow2) = now.addingReportingOverflow(seconds)
    guard !overflow, !overflow2 else { throw .timeOutOfRange }
    try self.init(notBefore: now, notAfter: end)
  }
}

/// What an authority is to certify.
public struct CertificateTemplate: Sendable {
  public enum Role: Sendable, Equatable {
    /// May sign certificates; at most so many authorities may stand below it, nil for any number.
    case authority(pathLengthMax: Int?)
    case leaf
  }

  /// What the key may be used for (RFC 5280, section 4.2.1.3).
  public struct Usages: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let digitalSignature = Usages(rawValue: 1)
    public static let keyEncipherment = Usages(rawValue: 2)
    public static let dataEncipherment = Usages(rawValue: 4)
    public static let keyAgreement = Usages(rawValue: 8)
    public static let certificateSigning = Usages(rawValue: 16)
    public static let revocationListSigning = Usages(rawValue: 32)
  }

  public enum ExtendedUsage: Sendable {
    case serverAuthentication, clientAuthentication
  }

  /// How keys are identified in the certificate.
  public enum KeyIdentifierForm: Sendable {
    /// The first 160 bits of the SHA-256 hash (RFC 7093, method 1).
    case short
    /// All of it.
    case full
  }

  public var role: Role
  public var subject: SubjectName
  public var names = AlternativeNames()
  public var validity: Validity
  public var usages: Usages
  public var extendedUsages: [ExtendedUsage] = []
  /// The only domains whose names a certificate below this authority may carry; empty for all.
  public var permittedDomains: [String] = []
  public var serial = CertificateSerial.random()
  public var keyIdentifierForm = KeyIdentifierForm.short

  public init(_ role: Role, subject: SubjectName, validity: Validity, usages: Usages) {
    self.role = role
    self.subject = subject
    self.validity = validity
    self.usages = usages
  }
}

/// The number of a certificate, unique among those of its authority.
public struct CertificateSerial: Sendable, Hashable, CustomStringConvertible {
  public let value: UInt128

  public init(_ value: UInt128) { self.value = value }

  /// 127 random bits: enough to be unique, and positive in every encoding.
  public static func random() -> CertificateSerial { CertificateSerial(UInt128.random(in: 1...(.max >> 1))) }

  /// Hexadecimal pairs, as few as are needed: `0a:1f`.
  public var hexadecimalPairs: String {
    let digits = bytes.drop { $0 == 0 }
    return HexadecimalPairs.text(digits.isEmpty ? [0] : digits)
  }

  /// Decimal.
  public var description: String { String(value) }

  var bytes: [UInt8] { (0..<16).reversed().map { UInt8(truncatingIfNeeded: value >> UInt128($0 * 8)) } }
}

/// IP addresses between text and bytes.
enum IPText {
  static func bytes(_ text: String) -> [UInt8]? {
    for (family, size) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: size)
      if inet_pton(family, text, &bytes) == 1 { return bytes }
    }
    return nil
  }

  static func text(_ bytes: [UInt8]) -> String? {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Bytes as `0a:1f:c0`.
public enum HexadecimalPairs {
  public static func text(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
