import Glibc

/// A value with a lock and a condition: what `Synchronization.Mutex` lacks to wait for something.
final class Monitor<Value>: @unchecked Sendable {
  // Sendable by construction: `value` is only touched while `lock` is held.
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var value: Value

  init(_ value: Value) {
    self.value = value
    lock = .allocate(capacity: 1)
    lock.initialize(to: pthread_mutex_t())
    pthread_mutex_init(lock, nil)
    condition = .allocate(capacity: 1)
    condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    condition.deallocate()
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  func withLock<T>(_ body: (inout Value) -> T) -> T {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body(&value)
  }

  /// Changes the value and wakes whoever waits.
  func withLockAndNotify<T>(_ body: (inout Value) -> T) -> T {
    let result = withLock(body)
    pthread_cond_broadcast(condition)
    return result
  }

  /// Wakes one waiter only if `body` says so.
  func withLockNotifying(_ body: (inout Value) -> Bool) {
    if withLock(body) { pthread_cond_signal(condition) }
  }

  /// Waits until `body` returns something.
  func waitUntil<T>(_ body: (inout Value) -> T?) -> T {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while true {
      if let result = body(&value) { return result }
      pthread_cond_wait(condition, lock)
    }
  }

  /// Waits until `body` returns something or the deadline passes (nil: no deadline). `body` runs once more at the end.
  func wait<T>(until deadline: MonotonicInstant?, _ body: (inout Value) -> T?) -> T? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    while true {
      if let result = body(&value) { return result }
      guard let deadline else {
        pthread_cond_wait(condition, lock)
        continue
      }
      var time = timespec(
        tv_sec: Int(clamping: deadline.nanoseconds / 1_000_000_000),
        tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
      if pthread_cond_timedwait(condition, lock, &time) == ETIMEDOUT { return body(&value) }
    }
  }
}
