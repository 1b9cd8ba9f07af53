import Model

extension LocalState {
  /// The services that have a check which was critical for longer than its `deregister_critical_service_after`.
  ///
  /// - Parameter minimum: the least that setting can mean.
  func servicesToReap(now: UInt64, minimum: GoDuration) -> Set<String> {
    var ids: Set<String> = []
    for entry in checks.values {
      guard let due = reapDeadline(of: entry, minimum: minimum), due <= now else { continue }
      ids.insert(entry.check.serviceID)
    }
    return ids
  }

  /// When the next service will have to go, or the next output is due to be sent: nil when nothing waits.
  ///
  /// - Parameter now: what was due before is passed over.
  func nextDeadline(minimum: GoDuration, after now: UInt64 = 0) -> UInt64? {
    checks.values.compactMap { deadline(of: $0, minimum: minimum, after: now) }.min()
  }

  /// The same for one check.
  func deadline(ofCheck id: String, minimum: GoDuration) -> UInt64? {
    check(id).flatMap { deadline(of: $0, minimum: minimum, after: 0) }
  }

  private func deadline(of entry: LocalCheck, minimum: GoDuration, after now: UInt64) -> UInt64? {
    [entry.outputDue, reapDeadline(of: entry, minimum: minimum)].compactMap { $0 }.filter { $0 > now }.min()
  }

  private func reapDeadline(of entry: LocalCheck, minimum: GoDuration) -> UInt64? {
    guard !entry.sync.isDeleted, let since = entry.criticalSince, entry.reapAfter > .zero,
      !entry.check.serviceID.isEmpty
    else { return nil }
    let wait = max(entry.reapAfter, minimum).nanoseconds
    return since.addingReportingOverflow(UInt64(clamping: wait)).partialValue
  }
}
