/// An instant: seconds and nanoseconds since 0001-01-01T00:00:00Z, where zero means "unset", as in Go.
public struct Timestamp: Sendable, Hashable, Comparable {
  /// Seconds between year 1 and the Unix epoch.
  static let unixOffset: Int64 = 62_135_596_800

  public var seconds: Int64
  public var nanoseconds: Int32

  public init(seconds: Int64 = 0, nanoseconds: Int32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  public init(unixSeconds: Int64, nanoseconds: Int32 = 0) {
    let (seconds, overflow) = unixSeconds.addingReportingOverflow(Self.unixOffset)
    self.init(seconds: overflow ? Int64.max : seconds, nanoseconds: nanoseconds)
  }

  public init(unixNanoseconds: Int64) {
    let (quotient, remainder) = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let borrow: Int64 = remainder < 0 ? 1 : 0
    self.init(unixSeconds: quotient - borrow, nanoseconds: Int32(remainder + borrow * 1_000_000_000))
  }

  public var isUnset: Bool { seconds == 0 && nanoseconds == 0 }
  public var unixSeconds: Int64 { seconds &- Self.unixOffset }

  /// The time since `other`, negative if that is later; as much as fits.
  public func since(_ other: Timestamp) -> GoDuration {
    let (seconds, overflow) = self.seconds.subtractingReportingOverflow(other.seconds)
    let (whole, tooFar) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow || tooFar { return GoDuration(nanoseconds: self < other ? .min : .max) }
    let (nanoseconds, last) = whole.addingReportingOverflow(Int64(self.nanoseconds) - Int64(other.nanoseconds))
    return GoDuration(nanoseconds: last ? (self < other ? .min : .max) : nanoseconds)
  }

  public static func < (a: Timestamp, b: Timestamp) -> Bool {
    (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC, with as many digits of the second as it has.
  public var description: String {
    let days = Self.floorDivide(unixSeconds, 86_400)
    let ofDay = unixSeconds - days * 86_400
    let (year, month, day) = Self.civil(fromDays: days)
    func two(_ value: Int64) -> String { String(value).leftPadded(to: 2) }
    var text = "\(String(year).leftPadded(to: 4))-\(two(month))-\(two(day))"
    text += "T\(two(ofDay / 3600)):\(two(ofDay % 3600 / 60)):\(two(ofDay % 60))"
    if nanoseconds > 0 {
      var digits = String(nanoseconds).leftPadded(to: 9)
      while digits.hasSuffix("0") { digits.removeLast() }
      text += ".\(digits)"
    }
    return text + "Z"
  }

  /// RFC 850 in UTC: `Sunday, 06-Nov-94 08:49:37 GMT`, but with `UTC` at the end, as Go writes it.
  public var longText: String {
    let days = Self.floorDivide(unixSeconds, 86_400)
    let (year, month, day) = Self.civil(fromDays: days)
    let time = description.split(separator: "T").last?.prefix(8) ?? ""
    let weekdays = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let weekday = weekdays[Int(days - Self.floorDivide(days, 7) * 7)]
    let date = "\(String(day).leftPadded(to: 2))-\(months[Int(month) - 1])-\(String(year % 100).leftPadded(to: 2))"
    return "\(weekday), \(date) \(time) UTC"
  }

  private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((-a + b - 1) / b) }

  /// The proleptic Gregorian date of a day number since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date
  /// algorithms").
  private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let z = days + 719_468
    let era = floorDivide(z, 146_097)
    let ofEra = z - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * ofYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * shifted + 2) / 5 + 1)
  }

  private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = floorDivide(y, 400)
    let yearOfEra = y - era * 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear - 719_468
  }

  /// Reads RFC 3339 text.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    func number(_ from: Int, _ count: Int) -> Int64? {
      guard from + count <= bytes.count else { return nil }
      return Int64(String(decoding: bytes[from..<from + count], as: UTF8.self))
    }
    guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] | 0x20 == 0x74,
      let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
      let minute = number(14, 2), let second = number(17, 2), (1...12).contains(month), (1...31).contains(day),
      (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    var index = 19
    var nanos: Int32 = 0
    if bytes[index] == UInt8(ascii: ".") {
      let digits = bytes[(index + 1)...].prefix { (0x30...0x39).contains($0) }
      guard !digits.isEmpty else { return nil }
      let nine = String(decoding: digits.prefix(9), as: UTF8.self)
      nanos = Int32(nine + String(repeating: "0", count: 9 - nine.count)) ?? 0
      index += 1 + digits.count
    }
    guard index < bytes.count else { return nil }
    var zone: Int64 = 0
    if bytes[index] | 0x20 != 0x7A {
      guard let hours = number(index + 1, 2), let minutes = number(index + 4, 2) else { return nil }
      zone = (hours * 3600 + minutes * 60) * (bytes[index] == UInt8(ascii: "-") ? -1 : 1)
    }
    let days = Self.days(fromCivil: year, month, day)
    self.init(unixSeconds: days * 86_400 + hour * 3600 + minute * 60 + second - zone, nanoseconds: nanos)
  }
}

extension Timestamp: FieldValue {
  public var isEmptyValue: Bool { isUnset }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { writer.string(description) }

  /// Go's binary form, version 1, in UTC (wire/messagepack.md, "Time").
  public func encode(_ writer: inout MessagePackWriter) {
    var bytes: [UInt8] = [1]
    withUnsafeBytes(of: seconds.bigEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: nanoseconds.bigEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: [0xFF, 0xFF])
    writer.binary(bytes)
  }

  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    let bytes = try reader.rawString()
    if bytes.isEmpty {
      self.init()
      return
    }
    guard bytes.count >= 15, bytes[0] == 1 || bytes[0] == 2 else { throw reader.mismatch("time") }
    let nanoseconds = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 9, as: Int32.self))
    self.init(
      seconds: Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: Int64.self)),
      nanoseconds: min(max(nanoseconds, 0), 999_999_999))
  }

  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    switch value {
    case .string(let text):
      guard let time = Timestamp(text) else {
        throw .invalid(path: context.path, reason: "parsing time \"\(text)\": not RFC 3339")
      }
      self = time
    case .null: self.init()
    default: throw context.mismatch(value, expected: "time.Time")
    }
  }
  public var selected: Selected { .string(description) }
  public static var shape: Shape { .hidden }
}
