import Wire

/// A name in an answer, kept in the parts it comes in until it is written.
enum AnswerName: Hashable {
  /// The name that was asked for, as it was spelled.
  case question
  case name(DNSName)
  /// Labels as text before a suffix: a node in its datacenter.
  case labels(String, DNSName)
  /// An address as a name.
  case hexadecimal(DNSAddress, DNSName)
}

enum AnswerData: Hashable {
  case address(DNSAddress)
  case name(DNSRecordType, AnswerName)
  case service(weight: UInt16, port: UInt16, target: AnswerName)
  case text(String)
  case authority(DNSAuthority)

  var type: DNSRecordType {
    switch self {
    case .address(let address): address.recordType
    case .name(let type, _): type
    case .service: .srv
    case .text: .txt
    case .authority: .soa
    }
  }
}

struct AnswerRecord: Hashable {
  var owner: AnswerName
  var ttl: UInt32
  var data: AnswerData
}

/// An answer before it is cut to size and written.
struct AnswerDraft {
  /// A record that accompanies an answer and goes when the answer goes.
  struct Extra {
    var record: AnswerRecord
    /// Index of the first answer that it belongs to.
    var answer: Int
    /// Whether it describes the very target of the answer. Others are left out as soon as an answer had to be cut.
    var describesTarget: Bool
  }

  private(set) var answers: [AnswerRecord] = []
  private(set) var authorities: [AnswerRecord] = []
  private(set) var extras: [Extra] = []
  private var seenAnswers = SeenRecords()
  private var seenExtras = SeenRecords()

  mutating func removeAll() {
    answers.removeAll(keepingCapacity: true)
    authorities.removeAll(keepingCapacity: true)
    extras.removeAll(keepingCapacity: true)
    seenAnswers.removeAll()
    seenExtras.removeAll()
  }

  /// Adds an answer unless it is there already.
  @discardableResult
  mutating func append(_ record: AnswerRecord) -> Bool {
    guard seenAnswers.insert(record, beside: answers.lazy) else { return false }
    answers.append(record)
    return true
  }

  mutating func append(authority record: AnswerRecord) {
    authorities.append(record)
  }

  /// Adds a record that accompanies the latest answer, unless it is there already.
  mutating func append(extra record: AnswerRecord, describesTarget: Bool = true) {
    guard seenExtras.insert(record, beside: extras.lazy.map(\.record)) else { return }
    extras.append(Extra(record: record, answer: max(0, answers.count - 1), describesTarget: describesTarget))
  }
}

/// Tells repeated records apart: few by comparing, many by hashing.
private struct SeenRecords {
  private static let comparedCount = 8
  private var hashed: Set<AnswerRecord> = []

  mutating func removeAll() {
    if !hashed.isEmpty { hashed.removeAll(keepingCapacity: false) }
  }

  /// - Parameter present: all records so far.
  /// - Returns: false if the record is among them.
  mutating func insert(_ record: AnswerRecord, beside present: some Collection<AnswerRecord>) -> Bool {
    if present.count < Self.comparedCount {
      return !present.contains(record)
    }
    if hashed.isEmpty { hashed = Set(present) }
    return hashed.insert(record).inserted
  }
}
