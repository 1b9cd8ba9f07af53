@testable import Wire

/// A writer as an object, so that what it does can stand in expectations.
final class DNSTestWriter {
  private var writer = DNSMessageWriter()

  var bytes: UnsafeRawBufferPointer { writer.bytes }
  var count: Int { writer.count }
  var limit: Int { writer.limit }
  var compresses: Bool {
    get { writer.compresses }
    set { writer.compresses = newValue }
  }

  func begin(id: UInt16, flags: DNSFlags, limit: Int = DNSMessageWriter.byteLimit) {
    writer.begin(id: id, flags: flags, limit: limit)
  }

  func writeQuestion(_ question: DNSQuestion) -> Bool { writer.writeQuestion(question) }

  func writeRecord(_ section: DNSMessageWriter.Section, _ record: DNSRecord, ttl: UInt32? = nil) -> Bool {
    writer.writeRecord(section, record, ttl: ttl)
  }

  func writeRecord(
    _ section: DNSMessageWriter.Section, type: DNSRecordType, ttl: UInt32,
    owner: (inout DNSMessageWriter) -> Bool, data: (inout DNSMessageWriter) -> Bool
  ) -> Bool {
    writer.writeRecord(section, type: type, ttl: ttl, owner: owner, data: data)
  }

  func writeExtension(
    _ request: DNSExtension, payloadSize: UInt16, responseCode: DNSResponseCode, subnetScope: UInt8
  ) -> Bool {
    writer.writeExtension(request, payloadSize: payloadSize, responseCode: responseCode, subnetScope: subnetScope)
  }

  func write(labels text: String, suffix: DNSName) -> Bool { writer.write(labels: text, suffix: suffix) }
}
