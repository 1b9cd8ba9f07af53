import Consensus
import Dispatch
import NIOCore
import State
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ServerNode: SnapshotBackend {
  public func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void
  ) {
    if let refusal = refusal(datacenter: options.datacenter, needsLeader: options.consistency != .stale) {
      return completion(.failure(refusal))
    }
    raft.snapshot { result in
      let answer: Result<Answer<any SnapshotArchiveStream>, ServerError>
      switch result {
      case .failure(let error): answer = .failure(ServerError(error))
      case .success(let reader):
        do throws(SnapshotArchiveError) {
          answer = .success(Answer(value: try ArchiveProduction(reader), index: reader.metadata.index))
        } catch {
          answer = .failure(.storage(error.description))
        }
      }
      loop.execute { completion(answer) }
    }
  }

  public func restoreSnapshot(
    _ archive: SpoolFile, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void
  ) {
    if let refusal = refusal(datacenter: datacenter, needsLeader: true) { return completion(.failure(refusal)) }
    let folder = settings.temporaryDirectory
    ArchiveWork.queue.async { [self] in
      let content: ArchiveWork.Content
      do {
        content = try ArchiveWork.unpack(archive, in: folder)
      } catch {
        return loop.execute { completion(.failure(.rejected("\(error)"))) }
      }
      raft.restore(content.file, size: content.size, prepared: content.ahead) { [leader] result in
        let answer = result.map { _ in }.mapError { ServerError($0) }
        if case .success = answer { leader.stateReplaced() }
        loop.execute { completion(answer) }
      }
    }
  }

  private func refusal(datacenter: String, needsLeader: Bool) -> ServerError? {
    if !datacenter.isEmpty, datacenter != settings.datacenter { return .noPathToDatacenter(datacenter) }
    return needsLeader && !isLeader ? .noLeader : nil
  }
}

/// Work on archives: it reads and writes files and computes, so it stays away from event loops.
enum ArchiveWork {
  static let queue = DispatchQueue(label: "snapshot-archives", qos: .utility, attributes: .concurrent)

  /// The state of an archive, in a file and on its way into memory.
  struct Content {
    let file: SpoolFile
    let size: Int64
    let ahead: RestoreAhead
  }

  /// Checks an archive as a whole and keeps its state in a file.
  static func unpack(_ archive: SpoolFile, in folder: String) throws -> Content {
    let file = try SpoolFile(in: folder)
    let ahead = RestoreAhead(file)
    let reader = try SnapshotArchiveReader { bytes in
      try file.write(bytes)
      ahead.take(count: bytes.count)
    }
    try archive.rewind()
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    try buffer.withUnsafeMutableBytes { buffer throws in
      while case let count = try archive.read(into: buffer), count > 0 {
        try reader.consume(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    }
    let metadata = try reader.finish()
    try file.rewind()
    ahead.end()
    return Content(file: file, size: metadata.size, ahead: ahead)
  }
}

/// Makes an archive of a stored snapshot as somebody asks for it.
private final class ArchiveProduction: SnapshotArchiveStream, @unchecked Sendable {
  // Sendable: the writer is used by one call of `next` at a time, on the queue.
  private let writer: SnapshotArchiveWriter

  init(_ reader: any SnapshotReader) throws(SnapshotArchiveError) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let position = reader.metadata.position
    let servers = position.configuration.servers.map {
      SnapshotArchiveMetadata.Server(id: $0.id, address: $0.address, isVoter: $0.suffrage == .voter)
    }
    let metadata = SnapshotArchiveMetadata(
      index: position.index, term: position.term, servers: servers, configurationIndex: position.configurationIndex,
      size: Int64(clamping: reader.metadata.size),
      milliseconds: Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000)
    writer = try SnapshotArchiveWriter(metadata, modified: Int64(time.tv_sec)) { try reader.read(into: $0) }
  }

  func next(
    on loop: any EventLoop, _ completion: @escaping @Sendable (Result<[UInt8]?, ServerError>) -> Void
  ) {
    ArchiveWork.queue.async { [self] in
      let result: Result<[UInt8]?, ServerError>
      do throws(SnapshotArchiveError) {
        result = .success(try writer.next())
      } catch {
        result = .failure(.storage(error.description))
      }
      loop.execute { completion(result) }
    }
  }
}
