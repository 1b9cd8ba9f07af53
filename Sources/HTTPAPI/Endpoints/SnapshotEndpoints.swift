import AccessControl
import Model
import NIOCore
import Server

/// `/v1/snapshot`: the whole state as an archive, and back.
extension Endpoints {
  /// A snapshot holds all tokens: whoever gets it, or puts another in its place, may do everything.
  private static let management = Route.Authorisation.requires { _, _ in .aclWrite }

  static let snapshots: [Endpoint] = [
    Endpoint(
      "/v1/snapshot", [], Route(.get, management, Snapshots.save),
      Route(.put, management, bodyLimit: .snapshot, Snapshots.restore))
  ]
}

enum Snapshots {
  static func save(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var options = QueryOptions()
    options.datacenter = request.datacenter
    options.token = exchange.token
    if request.query.has("stale") { options.consistency = .stale }
    let read = options
    api.backend.saveSnapshot(read, on: exchange.loop) { result in
      switch result {
      case .failure(let error): exchange.fail(HTTPError(error))
      case .success(let answer):
        let head = ResponseHead(.ok, .other("application/x-gzip"), meta: exchange.meta(answer, read))
        send(answer.value, head, exchange)
      }
    }
  }

  /// The first bytes come before the head, so that what cannot be read is told as an error.
  private static func send(_ archive: any SnapshotArchiveStream, _ head: ResponseHead, _ exchange: Exchange) {
    archive.next(on: exchange.loop) { result in
      switch result {
      case .failure(let error): exchange.fail(HTTPError(error))
      case .success(let first):
        exchange.beginStream(head)
        goOn(archive, first, exchange)
      }
    }
  }

  private static func goOn(_ archive: any SnapshotArchiveStream, _ bytes: [UInt8]?, _ exchange: Exchange) {
    guard exchange.isOpen else { return }
    guard let bytes else { return exchange.endStream() }
    exchange.streamChunk(bytes).whenSuccess {
      archive.next(on: exchange.loop) { result in
        switch result {
        case .failure: exchange.abortStream()
        case .success(let next): goOn(archive, next, exchange)
        }
      }
    }
  }

  static func restore(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    api.backend.restoreSnapshot(
      request.spooled ?? SpoolFile([]), datacenter: request.datacenter, token: exchange.token, on: exchange.loop
    ) { result in
      switch result {
      case .failure(let error): exchange.fail(HTTPError(error))
      case .success: exchange.empty(ResponseHead(.ok, .other("application/octet-stream")))
      }
    }
  }
}
