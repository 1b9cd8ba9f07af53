import Model

/// Names that the catalog takes but DNS cannot carry: worth a line in the log, not a refusal.
enum NameWarnings {
  /// The longest label of a DNS name (RFC 1035 section 2.3.4).
  static let labelLengthMaximum = 63

  static func warnings(for service: NodeService) -> [String] {
    var warnings: [String] = []
    if !isLabel(service.service) {
      warnings.append(
        "Service name \"\(service.service)\" will not be discoverable via DNS due to invalid characters. "
          + "Valid characters include all alpha-numerics and dashes.")
    } else if service.service.utf8.count > labelLengthMaximum {
      warnings.append(
        "Service name \"\(service.service)\" will not be discoverable via DNS due to it being too long. "
          + "Valid lengths are between 1 and 63 bytes.")
    }
    for tag in service.tags where !isLabel(tag) {
      warnings.append(
        "Service tag \"\(tag)\" will not be discoverable via DNS due to invalid characters. "
          + "Valid characters include all alpha-numerics and dashes.")
    }
    for tag in service.tags where isLabel(tag) && tag.utf8.count > labelLengthMaximum {
      warnings.append(
        "Service tag \"\(tag)\" will not be discoverable via DNS due to it being too long. "
          + "Valid lengths are between 1 and 63 bytes.")
    }
    return warnings
  }

  private static func isLabel(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte | 0x20 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
      }
  }
}
