// Hands what is committed to the state machine's side.

extension Replica {
  /// Hands committed entries over, as many as the state machine's side may hold.
  func handOver() {
    while handedIndex < core.commitIndex, failure == nil, mayHandOver() {
      var last = core.commitIndex
      if let notice = leadershipNotice, notice.index > handedIndex { last = min(last, notice.index) }
      var (entries, completions) = cache.take(first: handedIndex + 1, last: last)
      if entries.isEmpty {
        if let first = cache.firstIndex, first > handedIndex + 1 { last = min(last, first - 1) }
        do throws(StorageError) {
          entries = try storage.log.entries(first: handedIndex + 1, last: last, bytesMax: 1 << 20)[...]
          completions = []
        } catch {
          return fail(.storage(error))
        }
      }
      guard let reached = entries.last?.index else { return fail(.storage(.missing(path: "log entry \(last)"))) }
      progress.pendingBytes.add(entries.reduce(0) { $0 + $1.cost }, ordering: .acquiringAndReleasing)
      handedIndex = reached
      emit(.entries(entries, completions: completions))
      if let notice = leadershipNotice, notice.index == reached {
        leadershipNotice = nil
        reportedLeader = true
        emit(.leadership(.gained(term: notice.term)))
      }
    }
    releaseConfirmed()
    let keep = core.membership.latest.servers.count > 1 ? options.limits.cacheBytesMax : 0
    cache.trim(through: min(handedIndex, core.log.durableIndex), bytesMax: keep)
  }

  /// Whether the state machine's side can take more; if not, it will report when it can.
  func mayHandOver() -> Bool {
    if progress.pendingBytes.load(ordering: .acquiring) < options.limits.applyBytesMax { return true }
    progress.isAwaited.store(true, ordering: .sequentiallyConsistent)
    // Look again: the other side may have finished before it could see the request.
    return progress.pendingBytes.load(ordering: .sequentiallyConsistent) < options.limits.applyBytesMax
  }

  func releaseConfirmed() {
    guard !confirmed.isEmpty else { return }
    let ready = confirmed.filter { $0.index <= handedIndex }.map { $0.completion }
    guard !ready.isEmpty else { return }
    confirmed.removeAll { $0.index <= handedIndex }
    emit(.call { for completion in ready { completion(.success(())) } })
  }
}
