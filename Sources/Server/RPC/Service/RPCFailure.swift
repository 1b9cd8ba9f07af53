import Wire

/// Why a call was not carried out, as the caller is told.
struct RPCFailure: Error, Equatable {
  /// The reference's words; never ends in `EOF`, which callers take for a broken connection.
  var text: String
  /// Whether nothing more is taken on the session: what the caller said was not understood.
  var endsSession = false

  init(_ text: String, endsSession: Bool = false) {
    self.text = text.hasSuffix("EOF") ? text + "." : text
    self.endsSession = endsSession
  }

  init(_ error: ServerError) {
    self.init(error.description)
    if case .rateLimited = error { endsSession = true }
  }

  static func unknownService(_ method: String) -> RPCFailure {
    RPCFailure("rpc: can't find service \(method)", endsSession: true)
  }

  static func unknownMethod(_ method: String) -> RPCFailure {
    RPCFailure("rpc: can't find method \(method)", endsSession: true)
  }

  static func illFormed(_ method: String) -> RPCFailure {
    RPCFailure("rpc: service/method request ill-formed: \(method)", endsSession: true)
  }

  static func undecodable(_ error: any Error) -> RPCFailure {
    RPCFailure("codec.decoder: \(error)", endsSession: true)
  }
}
