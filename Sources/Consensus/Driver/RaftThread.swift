import Glibc

/// A thread of the operating system.
final class RaftThread: Sendable {
  private let handle: pthread_t

  /// - Parameter name: at most 15 bytes, as shown by `ps` and `top`.
  /// - Returns: nil if the system has no thread to give; `body` is not called then.
  static func start(name: String, _ body: @escaping @Sendable () -> Void) -> RaftThread? {
    let box = Unmanaged.passRetained(ThreadBody(name: name, body: body))
    var handle = pthread_t()
    guard pthread_create(&handle, nil, runThreadBody, box.toOpaque()) == 0 else {
      box.release()
      return nil
    }
    return RaftThread(handle)
  }

  /// Runs `body` on a thread of its own that nobody waits for; in place if there is none to be had.
  static func detached(name: String, _ body: @escaping @Sendable () -> Void) {
    if let thread = start(name: name, body) { pthread_detach(thread.handle) } else { body() }
  }

  private init(_ handle: pthread_t) { self.handle = handle }

  var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

  func join() { pthread_join(handle, nil) }
}

private final class ThreadBody: Sendable {
  let name: String
  let body: @Sendable () -> Void

  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

private func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
  setThreadName(body.name)
  body.body()
  return nil
}

private func setThreadName(_ name: String) {
  let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  _ = name.withCString { write(descriptor, $0, strlen($0)) }
  close(descriptor)
}
