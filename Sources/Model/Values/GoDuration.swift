/// A length of time in nanoseconds, with the text form of Go (`1h2m3.5s`), which all of Consul's files and answers use.
public struct GoDuration: Sendable, Hashable, Comparable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64 = 0) { self.nanoseconds = nanoseconds }

  public static let zero = GoDuration()
  public static func seconds(_ count: Int) -> GoDuration { GoDuration(nanoseconds: Int64(count) * 1_000_000_000) }
  public static func milliseconds(_ count: Int) -> GoDuration { GoDuration(nanoseconds: Int64(count) * 1_000_000) }
  public static func minutes(_ count: Int) -> GoDuration { .seconds(count * 60) }
  public static func hours(_ count: Int) -> GoDuration { .seconds(count * 3600) }
  public static func < (a: GoDuration, b: GoDuration) -> Bool { a.nanoseconds < b.nanoseconds }

  public var inSeconds: Double { Double(nanoseconds) / 1e9 }
  public var duration: Duration { .nanoseconds(nanoseconds) }

  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ("m", 60_000_000_000), ("h", 3_600_000_000_000),
  ]

  /// Reads text such as `300ms`, `-1.5h` or `2h45m`; nil for anything else, and for lengths beyond 292 years.
  public init?(_ text: some StringProtocol) {
    var rest = Substring(text)
    let negative = rest.hasPrefix("-")
    if negative || rest.hasPrefix("+") { rest.removeFirst() }
    if rest == "0" {
      self.init()
      return
    }
    guard !rest.isEmpty else { return nil }
    var total: Int64 = 0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(number.count)
      let unitName = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
      rest = rest.dropFirst(unitName.count)
      guard let unit = Self.units.first(where: { $0.name == unitName }),
        let part = Self.scaled(number, by: unit.nanoseconds)
      else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(part)
      guard !overflow else { return nil }
      total = sum
    }
    self.init(nanoseconds: negative ? -total : total)
  }

  /// `number` × `unit`, exact for the whole part.
  private static func scaled(_ number: Substring, by unit: Int64) -> Int64? {
    let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let whole = parts.first.map(String.init) ?? ""
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    guard !(whole.isEmpty && fraction.isEmpty), !fraction.contains(".") else { return nil }
    guard let wholeNumber = whole.isEmpty ? 0 : Int64(whole) else { return nil }
    let (product, overflow) = wholeNumber.multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    guard !fraction.isEmpty else { return product }
    guard let fractionNumber = Double("0." + fraction) else { return nil }
    let (sum, tooLarge) = product.addingReportingOverflow(Int64(fractionNumber * Double(unit)))
    return tooLarge ? nil : sum
  }
}

extension GoDuration {
  /// The same length, as far as 64 bits of nanoseconds reach.
  public init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    self.init(nanoseconds: overflow ? (seconds < 0 ? .min : .max) : whole &+ attoseconds / 1_000_000_000)
  }
}

extension GoDuration: CustomStringConvertible {
  /// `0s`, `1.5s`, `1m0s`, `1h0m0s`, `300ms`, `2µs`, as Go's `Duration.String`.
  public var description: String {
    if nanoseconds == 0 { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    let magnitude = nanoseconds.magnitude
    switch magnitude {
    case 0..<1000: return "\(sign)\(magnitude)ns"
    case 0..<1_000_000: return sign + Self.decimal(magnitude, unit: 1000) + "µs"
    case 0..<1_000_000_000: return sign + Self.decimal(magnitude, unit: 1_000_000) + "ms"
    default: break
    }
    let minutes = magnitude / 60_000_000_000
    let seconds = Self.decimal(magnitude % 60_000_000_000, unit: 1_000_000_000) + "s"
    if minutes == 0 { return sign + seconds }
    if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
    return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
  }

  private static func decimal(_ value: UInt64, unit: UInt64) -> String {
    let fraction = value % unit
    guard fraction > 0 else { return String(value / unit) }
    let digits = String(fraction).leftPadded(to: String(unit).count - 1)
    return "\(value / unit).\(digits.reversed().drop { $0 == "0" }.reversed().map(String.init).joined())"
  }
}

extension GoDuration: FieldValue {
  public var isEmptyValue: Bool { nanoseconds == 0 }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    if options.contains(.durationText) { writer.string(description) } else { writer.integer(nanoseconds) }
  }
  public func encode(_ writer: inout MessagePackWriter) { writer.integer(nanoseconds) }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self.init(nanoseconds: try reader.integer())
  }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    switch value {
    case .string(let text):
      if text.isEmpty {
        self.init()
      } else if let duration = GoDuration(text) {
        self = duration
      } else {
        throw .invalid(path: context.path, reason: Self.reason(text))
      }
    case .int(let number): self.init(nanoseconds: number)
    case .double(let number):
      guard let whole = Int64(exactly: number.rounded(.towardZero)) else {
        throw context.mismatch(value, expected: "time.Duration")
      }
      self.init(nanoseconds: whole)
    case .null: self.init()
    default: throw context.mismatch(value, expected: "time.Duration")
    }
  }
  public var selected: Selected { .int(nanoseconds) }
  public static var shape: Shape { .int }

  /// What Go's parser says of a text that is no duration.
  public static func reason(_ text: String) -> String {
    let digits = text.drop { $0 == "-" || $0 == "+" }
    let startsWithNumber = digits.first.map { ($0.isASCII && $0.isNumber) || $0 == "." } ?? false
    guard startsWithNumber else { return "time: invalid duration \"\(text)\"" }
    let unit = digits.drop { ($0.isASCII && $0.isNumber) || $0 == "." }.prefix {
      !($0.isASCII && $0.isNumber) && $0 != "."
    }
    if unit.isEmpty { return "time: missing unit in duration \"\(text)\"" }
    if !units.contains(where: { $0.name == unit }) { return "time: unknown unit \"\(unit)\" in duration \"\(text)\"" }
    return "time: invalid duration \"\(text)\""
  }
}
