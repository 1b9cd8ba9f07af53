import NIOHPACK

/// What a health service says of itself (grpc.health.v1, `ServingStatus`).
enum ServingStatus: Sendable, Equatable, CustomStringConvertible {
  case unknown, serving, notServing, serviceUnknown
  case other(UInt64)

  init(_ number: UInt64) {
    switch number {
    case 0: self = .unknown
    case 1: self = .serving
    case 2: self = .notServing
    case 3: self = .serviceUnknown
    default: self = .other(number)
    }
  }

  var description: String {
    switch self {
    case .unknown: "UNKNOWN"
    case .serving: "SERVING"
    case .notServing: "NOT_SERVING"
    case .serviceUnknown: "SERVICE_UNKNOWN"
    case .other(let number): String(number)
    }
  }
}

/// The status codes of gRPC.
enum GRPCCode: Int, Sendable, CustomStringConvertible {
  case ok, canceled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
  case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable, dataLoss
  case unauthenticated

  /// What the status of an answer that is not gRPC means ("HTTP to gRPC Status Code Mapping").
  init(httpStatus: Int) {
    switch httpStatus {
    case 400: self = .internal
    case 401: self = .unauthenticated
    case 403: self = .permissionDenied
    case 404: self = .unimplemented
    case 429, 502, 503, 504: self = .unavailable
    default: self = .unknown
    }
  }

  var description: String {
    switch self {
    case .ok: "OK"
    case .canceled: "Canceled"
    case .unknown: "Unknown"
    case .invalidArgument: "InvalidArgument"
    case .deadlineExceeded: "DeadlineExceeded"
    case .notFound: "NotFound"
    case .alreadyExists: "AlreadyExists"
    case .permissionDenied: "PermissionDenied"
    case .resourceExhausted: "ResourceExhausted"
    case .failedPrecondition: "FailedPrecondition"
    case .aborted: "Aborted"
    case .outOfRange: "OutOfRange"
    case .unimplemented: "Unimplemented"
    case .internal: "Internal"
    case .unavailable: "Unavailable"
    case .dataLoss: "DataLoss"
    case .unauthenticated: "Unauthenticated"
    }
  }
}

/// How a call to a health service ended.
enum GRPCAnswer: Sendable, Equatable {
  case serving(ServingStatus)
  case failed(code: GRPCCode, message: String)
}

/// An answer to a unary call, as its parts arrive.
struct GRPCReply: Sendable, Equatable {
  private(set) var httpStatus: Int?
  private var status: GRPCCode?
  private var statusMessage = ""
  /// The bytes of the data frames.
  var message: [UInt8] = []

  /// Takes the fields before or after the message.
  mutating func take(_ fields: HPACKHeaders) {
    if let text = fields.first(name: ":status") { httpStatus = Int(text) }
    if let text = fields.first(name: "grpc-status") { status = Int(text).flatMap(GRPCCode.init(rawValue:)) ?? .unknown }
    if let text = fields.first(name: "grpc-message") { statusMessage = CheckURL.unescaped(text[...]) }
  }

  /// The meaning of the whole, once the stream has ended.
  var answer: GRPCAnswer {
    guard let status else {
      let code = httpStatus ?? 0
      if code == 200 { return .failed(code: .internal, message: "server closed the stream without sending trailers") }
      let message = "unexpected HTTP status code received from server: \(code)"
      return .failed(code: GRPCCode(httpStatus: code), message: message)
    }
    guard status == .ok else { return .failed(code: status, message: statusMessage) }
    guard let payload = GRPCMessage.unframed(message), let serving = HealthMessages.status(in: payload) else {
      return .failed(code: .internal, message: "the answer is not a HealthCheckResponse")
    }
    return .serving(serving)
  }
}

/// Messages as a gRPC stream carries them: a compression flag, the length in four bytes, the message.
enum GRPCMessage {
  static func framed(_ message: [UInt8]) -> [UInt8] {
    let length = UInt32(truncatingIfNeeded: message.count)
    return [0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + message
  }

  /// The single message of a stream; nil if there is none or more, or if it is compressed (which was not offered).
  static func unframed(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
    guard bytes.count >= 5, bytes[0] == 0 else { return nil }
    let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
    return bytes.count - 5 == length ? bytes[5...] : nil
  }
}

/// The two messages of the health service in protobuf's wire format.
enum HealthMessages {
  /// `HealthCheckRequest { string service = 1 }`
  static func request(service: String) -> [UInt8] {
    if service.isEmpty { return [] }
    var message: [UInt8] = [1 << 3 | 2]
    var length = service.utf8.count
    while length >= 0x80 {
      message.append(UInt8(truncatingIfNeeded: length) | 0x80)
      length >>= 7
    }
    return message + [UInt8(length)] + Array(service.utf8)
  }

  /// `HealthCheckResponse { ServingStatus status = 1 }`; fields unknown to this are skipped. Nil for anything else.
  static func status(in message: ArraySlice<UInt8>) -> ServingStatus? {
    var rest = message
    var status = ServingStatus.unknown
    while !rest.isEmpty {
      guard let key = varint(&rest) else { return nil }
      switch key & 7 {
      case 0:
        guard let value = varint(&rest) else { return nil }
        if key >> 3 == 1 { status = ServingStatus(value) }
      case 1, 5:
        let size = key & 7 == 1 ? 8 : 4
        guard rest.count >= size else { return nil }
        rest = rest.dropFirst(size)
      case 2:
        guard let length = varint(&rest), length <= UInt64(rest.count) else { return nil }
        rest = rest.dropFirst(Int(length))
      default: return nil
      }
    }
    return status
  }

  private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, through: 63, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    return nil
  }
}
