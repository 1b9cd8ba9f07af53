import NIOCore
import Synchronization

/// A snapshot archive on its way to a client: whoever sends it asks for the next bytes when the ones before are gone, so that
/// no more than one piece waits for a slow client.
public protocol SnapshotArchiveStream: AnyObject, Sendable {
  /// The next bytes of the archive; nil behind its end. `completion` runs on `loop`. Not to be called before the one before
  /// has completed.
  func next(
    on loop: any EventLoop, _ completion: @escaping @Sendable (Result<[UInt8]?, ServerError>) -> Void)
}

/// What the faces need to save and restore the whole state.
public protocol SnapshotBackend: Sendable {
  /// Takes a snapshot of the state as it is, or as the answering server knows it where the options allow that.
  func saveSnapshot(
    _ options: QueryOptions, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Answer<any SnapshotArchiveStream>, ServerError>) -> Void)

  /// Replaces the state of the whole cluster by that of an archive. One that is damaged changes nothing.
  ///
  /// - Parameter archive: at its beginning.
  func restoreSnapshot(
    _ archive: SpoolFile, datacenter: String, token: String, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<Void, ServerError>) -> Void)
}
