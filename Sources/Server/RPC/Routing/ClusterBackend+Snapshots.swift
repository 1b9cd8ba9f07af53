import NIOCore

extension ClusterBackend: SnapshotBackend {
  public func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void
  ) {
    var options = options
    options.minIndex = 0
    let read = options
    _ = route(
      Wish("Snapshot.Save", read), on: loop,
      { (result: Result<Answer<any SnapshotArchiveStream>, RouteError>) in
        completion(result.mapError(\.serverError))
      },
      here: { [server] done in
        if let server { server.saveSnapshot(read, on: loop, done) } else { done(.failure(.noServers)) }
        return nil
      },
      there: { [client] address, done in
        var request = SnapshotRequest()
        request.datacenter = read.datacenter
        request.token = read.token
        request.allowStale = read.consistency == .stale
        SnapshotCall.start(request, archive: nil, to: address, client.settings, on: loop) { result in
          done(
            result.map { meta, call in
              var answer = Answer<any SnapshotArchiveStream>(value: call, index: max(meta.index, 1))
              answer.knownLeader = meta.knownLeader
              answer.lastContactMilliseconds = UInt64(clamping: meta.lastContact.nanoseconds / 1_000_000)
              return answer
            })
        }
        return nil
      })
  }

  public func restoreSnapshot(
    _ archive: SpoolFile, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    _ = route(
      Wish(write: "Snapshot.Restore", datacenter: datacenter), on: loop,
      { (result: Result<Void, RouteError>) in completion(result.mapError(\.serverError)) },
      here: { [server] done in
        if let server {
          server.restoreSnapshot(archive, datacenter: datacenter, token: token, on: loop, done)
        } else {
          done(.failure(.noServers))
        }
        return nil
      },
      there: { [client] address, done in
        var request = SnapshotRequest()
        request.datacenter = datacenter
        request.token = token
        request.op = SnapshotRequest.restore
        do throws(SpoolFile.Failure) { try archive.rewind() } catch {
          done(.failure(.malformed(error.description)))
          return nil
        }
        SnapshotCall.start(request, archive: archive, to: address, client.settings, on: loop) { result in
          done(result.map { _ in })
        }
        return nil
      })
  }
}
