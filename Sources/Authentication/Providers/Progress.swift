import Model

/// Something that an identity provider has to be asked over HTTP.
public struct OutboundRequest: Sendable, Equatable {
  public enum Method: String, Sendable { case get = "GET", post = "POST" }

  /// Whose certificates are believed.
  public enum Trust: Sendable, Equatable {
    /// Those of the machine.
    case system
    /// Those that these authorities (PEM) signed.
    case authorities(String)
  }

  public var method: Method
  public var url: String
  public var headers: [(name: String, value: String)] = []
  public var body: [UInt8] = []
  public var trust: Trust
  /// Bytes of an answer.
  public var answerLimit = 1 << 20
  /// How long the whole exchange may take.
  public var patience = GoDuration.seconds(15)

  public init(_ method: Method, _ url: String, trust: Trust = .system) {
    self.method = method
    self.url = url
    self.trust = trust
  }

  public static func == (a: OutboundRequest, b: OutboundRequest) -> Bool {
    a.method == b.method && a.url == b.url && a.body == b.body && a.trust == b.trust
      && a.headers.elementsEqual(b.headers) { $0 == $1 }
  }

  /// Says why there was no answer: `Get "https://…": dial tcp …`.
  func failure(_ failure: OutboundFailure) -> String {
    "\(method == .get ? "Get" : "Post") \(url.goQuoted): \(failure.reason)"
  }
}

public struct OutboundResponse: Sendable, Equatable {
  public var status: Int
  /// `Not Found`
  public var reason: String
  public var body: [UInt8]

  public init(status: Int, reason: String = "", body: [UInt8]) {
    self.status = status
    self.reason = reason
    self.body = body
  }

  var isSuccess: Bool { (200..<300).contains(status) }
  var statusText: String { reason.isEmpty ? String(status) : "\(status) \(reason)" }
  /// What an answer that is quoted in an error may add to it.
  var excerpt: String { String(decoding: body.prefix(1024), as: UTF8.self) }
}

/// Why a provider did not answer: no connection, a certificate that is not trusted, too late, too much.
public struct OutboundFailure: Error, Sendable, Equatable {
  public var reason: String
  public init(_ reason: String) { self.reason = reason }
}

/// Carries out what the methods ask for. Completions may run anywhere.
public protocol ProviderTransport: Sendable {
  func perform(
    _ request: OutboundRequest, _ completion: @escaping @Sendable (Result<OutboundResponse, OutboundFailure>) -> Void)
}

/// A piece of work that may have to ask somebody before it can go on.
public indirect enum Progress<Value: Sendable>: Sendable {
  case done(Value)
  case failed(AuthenticationError)
  case ask(OutboundRequest, @Sendable (Result<OutboundResponse, OutboundFailure>) -> Progress<Value>)

  /// Goes on with the value once it is there.
  public func then<Next: Sendable>(
    _ next: @escaping @Sendable (Value) throws(AuthenticationError) -> Progress<Next>
  ) -> Progress<Next> {
    switch self {
    case .done(let value): return .attempt { () throws(AuthenticationError) in try next(value) }
    case .failed(let error): return .failed(error)
    case .ask(let request, let goOn): return .ask(request) { goOn($0).then(next) }
    }
  }

  public func map<Next: Sendable>(
    _ change: @escaping @Sendable (Value) throws(AuthenticationError) -> Next
  ) -> Progress<Next> {
    then { (value) throws(AuthenticationError) in .done(try change(value)) }
  }

  /// The same with other words for what may go wrong.
  public func mapError(
    _ change: @escaping @Sendable (AuthenticationError) -> AuthenticationError
  ) -> Progress<Value> {
    switch self {
    case .done: self
    case .failed(let error): .failed(change(error))
    case .ask(let request, let goOn): .ask(request) { goOn($0).mapError(change) }
    }
  }

  /// Work that may fail at once.
  static func attempt(_ work: () throws(AuthenticationError) -> Progress<Value>) -> Progress<Value> {
    do throws(AuthenticationError) { return try work() } catch { return .failed(error) }
  }

  /// Asks, and turns the answer or the lack of one into what comes next.
  static func asking(
    _ request: OutboundRequest, unreachable: @escaping @Sendable (String) -> AuthenticationError = { .provider($0) },
    _ next: @escaping @Sendable (OutboundResponse) throws(AuthenticationError) -> Progress<Value>
  ) -> Progress<Value> {
    .ask(request) { result in
      switch result {
      case .failure(let failure): .failed(unreachable(request.failure(failure)))
      case .success(let response): .attempt { () throws(AuthenticationError) in try next(response) }
      }
    }
  }

  /// Carries the work out.
  public func run(
    on transport: any ProviderTransport, _ completion: @escaping @Sendable (Result<Value, AuthenticationError>) -> Void
  ) {
    switch self {
    case .done(let value): completion(.success(value))
    case .failed(let error): completion(.failure(error))
    case .ask(let request, let goOn): transport.perform(request) { goOn($0).run(on: transport, completion) }
    }
  }
}
