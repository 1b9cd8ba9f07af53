import Model
import NIOCore

extension RPCMethodTable {
  /// A prepared query that finds nothing here goes on in the places that it names: whoever asked need not know them.
  mutating func registerExecution() {
    register(PreparedQueryExecute.method) { [backend, server] body, loop, completion in
      let request: PreparedQueryExecuteRequest
      do throws(MessagePackError) {
        request = try PreparedQueryExecuteRequest(decoding: body)
      } catch {
        completion(.failure(.undecodable(error)))
        return nil
      }
      let options = request.options.queryOptions(datacenter: request.datacenter)
      return backend.route(Wish(PreparedQueryExecute.method, options), body, on: loop, completion) { completion in
        var query = PreparedQueryExecute(request: request)
        query.datacenter = server.datacenter
        backend.execute(query, options, on: loop) { result in
          completion(
            result.flatMap { answer in
              Result { () throws(ServerError) in
                var response = try PreparedQueryExecute.response(answer.value)
                PreparedQueryExecute.setMeta(RPCQueryMeta(answer), of: &response)
                return ByteBuffer.messagePack(response)
              }
            })
        }
        return nil
      }
    }
  }
}
