import AccessControl
import Model
import NIOCore
import Wire

/// The methods that a server answers: a name, the record that its argument is, and the call that carries it out.
///
/// What is forwarded to another server keeps its bytes in both directions: only the server that carries a request out needs
/// to understand all of it.
public final class RPCMethods: Sendable {
  public struct Settings: Sendable {
    /// Bytes of one request; a transaction of large values is the largest.
    public var requestBytesMax = 64 << 20
    public init() {}
  }

  typealias Completion = @Sendable (Result<ByteBuffer, RPCFailure>) -> Void
  typealias Method = @Sendable (ByteBuffer, any EventLoop, @escaping Completion) -> (any PendingQuery)?

  let settings: Settings
  let backend: ClusterBackend
  private let methods: [String: Method]
  private let services: Set<String>

  public init(_ backend: ClusterBackend, server: ServerNode, settings: Settings = Settings()) {
    self.settings = settings
    self.backend = backend
    var table = RPCMethodTable(backend: backend, server: server)
    table.registerAll()
    methods = table.methods
    services = Set(table.methods.keys.compactMap { $0.split(separator: ".").first.map(String.init) })
  }

  /// The methods for agents without a certificate.
  ///
  /// - Parameter settings: nil where the server gives them none, and says so.
  public init(strangersOf backend: ClusterBackend, server: ServerNode, _ settings: AutoEncryptSettings?) {
    var limits = Settings()
    // A request for a certificate is small, and nobody knows yet who asks.
    limits.requestBytesMax = 64 << 10
    self.settings = limits
    self.backend = backend
    var table = RPCMethodTable(backend: backend, server: server)
    table.registerForStrangers(settings)
    methods = table.methods
    services = []
  }

  /// The names of all methods.
  public var names: [String] { methods.keys.sorted() }

  /// Carries a call out. `completion` runs on `loop`, once.
  /// - Returns: what waits for a change, if the call does.
  func perform(
    _ name: String, _ body: ByteBuffer, on loop: any EventLoop, _ completion: @escaping Completion
  ) -> (any PendingQuery)? {
    if let method = methods[name] { return method(body, loop, completion) }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count != 2 {
      completion(.failure(.illFormed(name)))
    } else {
      completion(.failure(services.contains(String(parts[0])) ? .unknownMethod(name) : .unknownService(name)))
    }
    return nil
  }
}

/// Takes what a call came to.
typealias RPCAnswer<Reply> = @Sendable (Result<Reply, ServerError>) -> Void

/// Builds the table, one registration per method.
struct RPCMethodTable {
  let backend: ClusterBackend
  let server: ServerNode
  private(set) var methods: [String: RPCMethods.Method] = [:]

  init(backend: ClusterBackend, server: ServerNode) {
    self.backend = backend
    self.server = server
  }

  mutating func register(_ name: String, _ method: @escaping RPCMethods.Method) {
    precondition(methods[name] == nil, "\(name) is registered twice")
    methods[name] = method
  }

  // MARK: Kinds of methods

  /// A read of the state: where it is carried out depends on its options.
  mutating func read<Query: ReadQuery>(_ query: Query.Type) {
    register(Query.method) { [backend, server] body, loop, completion in
      var request: Query.Request
      do throws(MessagePackError) {
        request = try Query.Request(decoding: body)
      } catch {
        completion(.failure(.undecodable(error)))
        return nil
      }
      let body = backend.readdress(Query.self, &request) ? ByteBuffer.messagePack(request) : body
      let options = request.options.queryOptions(datacenter: request.datacenter)
      return backend.route(Wish(Query.method, options), body, on: loop, completion) { [request] completion in
        Self.evaluate(Query.self, request, options, server, on: loop, completion)
      }
    }
  }

  private static func evaluate<Query: ReadQuery>(
    _ query: Query.Type, _ request: Query.Request, _ options: QueryOptions, _ server: ServerNode,
    on loop: any EventLoop, _ completion: @escaping RPCMethods.LocalCompletion
  ) -> (any PendingQuery)? {
    var request = request
    if request.datacenter.isEmpty { request.datacenter = server.datacenter }
    let filter = request.options.filter
    do throws(ServerError) {
      return server.query(try Query(request: request), options, on: loop) { result in
        completion(result.flatMap { encode($0, of: Query.self, filter: filter) })
      }
    } catch {
      completion(.failure(error))
      return nil
    }
  }

  private static func encode<Query: ReadQuery>(
    _ answer: Answer<Query.Reply>, of query: Query.Type, filter: String
  ) -> Result<ByteBuffer, ServerError> {
    do {
      var response = try Query.response(answer.value)
      if !filter.isEmpty { try Query.filter(&response, by: filter) }
      Query.setMeta(RPCQueryMeta(answer), of: &response)
      return .success(.messagePack(response))
    } catch let error as ServerError {
      return .failure(error)
    } catch {
      return .failure(.invalid("\(error)"))
    }
  }

  /// A change of the state: the leader carries it out.
  mutating func write<Request: WriteRequest>(_ type: Request.Type) {
    write(Request.method, readdress: { $0.readdress(Request.self, &$1) }) { (request: Request.Request, call) in
      call.perform { () throws(ServerError) in try Request(request: request) }
    }
  }

  /// A method that stands for several changes; `choose` tells by the request which one it is. What it does without a
  /// `WriteRequest`, it has to ask the rights for. `readdress` tells whether it changed where, or with which token, the
  /// request goes.
  mutating func write<Arguments: RPCWriteRequest>(
    _ name: String,
    readdress: @escaping @Sendable (ClusterBackend, inout Arguments) -> Bool = { $0.hideToken(&$1) },
    _ choose: @escaping @Sendable (Arguments, RPCWriteCall) throws(ServerError) -> Void
  ) {
    register(name) { [backend, server] body, loop, completion in
      var request: Arguments
      do throws(MessagePackError) {
        request = try Arguments(decoding: body)
      } catch {
        completion(.failure(.undecodable(error)))
        return nil
      }
      let body = readdress(backend, &request) ? ByteBuffer.messagePack(request) : body
      return backend.route(Wish(write: name, datacenter: request.datacenter), body, on: loop, completion) {
        [request] completion in
        let call = RPCWriteCall(server: server, token: request.token, loop: loop, completion: completion)
        server.whenKnown(request.token, on: loop) {
          do throws(ServerError) {
            try choose(request, call)
          } catch {
            call.fail(error)
          }
        }
        return nil
      }
    }
  }

  /// A question to this server itself, whoever leads.
  mutating func own<Arguments: Record, Reply: FieldValue>(
    _ name: String, _ answer: @escaping @Sendable (ServerNode, Arguments) throws(ServerError) -> Reply
  ) {
    register(name) { [server] body, _, completion in
      do {
        completion(.success(.messagePack(try answer(server, try Arguments(decoding: body)))))
      } catch let error as MessagePackError {
        completion(.failure(.undecodable(error)))
      } catch let error as ServerError {
        completion(.failure(RPCFailure(error)))
      } catch {
        completion(.failure(RPCFailure("\(error)")))
      }
      return nil
    }
  }

  /// A request that this server answers in a way of its own. `completion` may be called on any thread.
  mutating func answer<Arguments: Record, Reply: FieldValue>(
    _ name: String,
    _ answer: @escaping @Sendable (Arguments, any EventLoop, @escaping RPCAnswer<Reply>) -> Void
  ) {
    register(name) { body, loop, completion in
      let request: Arguments
      do throws(MessagePackError) {
        request = try Arguments(decoding: body)
      } catch {
        completion(.failure(.undecodable(error)))
        return nil
      }
      answer(request, loop) { result in
        let result = result.map { ByteBuffer.messagePack($0) }.mapError { RPCFailure($0) }
        if loop.inEventLoop { completion(result) } else { loop.execute { completion(result) } }
      }
      return nil
    }
  }

  /// A question to the leader itself, for operators.
  ///
  /// - Parameter permission: nil for what everyone may know.
  mutating func leader<Arguments: RPCReadRequest, Reply: FieldValue>(
    _ name: String, _ permission: Permission? = .operatorRead,
    _ answer: @escaping @Sendable (ServerNode, Arguments) throws(ServerError) -> Reply
  ) {
    register(name) { [backend, server] body, loop, completion in
      let request: Arguments
      do throws(MessagePackError) {
        request = try Arguments(decoding: body)
      } catch {
        completion(.failure(.undecodable(error)))
        return nil
      }
      let options = request.options.queryOptions(datacenter: request.datacenter)
      return backend.route(Wish(name, options), body, on: loop, completion) { completion in
        server.whenKnown(request.options.token, on: loop) {
          do throws(ServerError) {
            if let permission { try server.require(permission, token: request.options.token) }
            completion(.success(.messagePack(try answer(server, request))))
          } catch {
            completion(.failure(error))
          }
        }
        return nil
      }
    }
  }
}

extension ServerNode {
  /// Holds what is no query and no change of the state against the token of its request.
  /// - Throws: `ServerError.denied` or `.tokenNotFound`.
  func require(_ permission: Permission, token: String) throws(ServerError) {
    try requestAccess(token)?.require(permission)
  }
}

extension RPCMethods {
  typealias LocalCompletion = @Sendable (Result<ByteBuffer, ServerError>) -> Void
}

/// A change that arrived and is to be carried out here.
struct RPCWriteCall: Sendable {
  let server: ServerNode
  let token: String
  let loop: any EventLoop
  let completion: RPCMethods.LocalCompletion

  func require(_ permission: Permission) throws(ServerError) { try server.require(permission, token: token) }

  func perform<Request: WriteRequest>(_ make: () throws(ServerError) -> Request) {
    do throws(ServerError) {
      let request = try make()
      server.write(request, datacenter: "", token: token, on: loop) { [completion] result in
        do throws(ServerError) {
          completion(.success(.messagePack(try request.response(try result.get()))))
        } catch {
          completion(.failure(error))
        }
      }
    } catch {
      completion(.failure(error))
    }
  }

  func done(_ result: Result<Void, ServerError>) {
    completion(result.map { ByteBuffer.messagePack(RPCEmpty()) })
  }

  func fail(_ error: ServerError) { completion(.failure(error)) }
}

extension ByteBuffer {
  /// A value as MessagePack.
  static func messagePack(_ value: some FieldValue) -> ByteBuffer {
    var writer = MessagePackWriter()
    value.encode(&writer)
    return ByteBuffer(bytes: writer.bytes)
  }
}

/// A list that stands alone: empty, it is an empty list and not nil (wire/messagepack.md, "Structs").
struct RPCList<Element: FieldValue>: FieldValue {
  var elements: [Element]

  init(_ elements: [Element]) { self.elements = elements }

  var isEmptyValue: Bool { elements.isEmpty }
  func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { elements.encodeJSON(&writer, options) }
  func encode(_ writer: inout MessagePackWriter) {
    if elements.isEmpty { writer.arrayHeader(0) } else { elements.encode(&writer) }
  }
  init(from reader: inout MessagePackReader) throws(MessagePackError) { elements = try [Element](from: &reader) }
  init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    elements = try [Element](from: value, context)
  }
  var selected: Selected { elements.selected }
  static var shape: Shape { [Element].shape }
}
