/// What changed since the last sending to a statsd server or one of its kin.
struct MetricChange: Sendable, Equatable {
  enum Value: Sendable, Equatable {
    case gauge(Double)
    /// The sum of all increments.
    case counter(Double)
    /// Single values, and the share of them that was kept.
    case sample([Float], rate: Double)
  }

  /// Without prefix.
  var name: String
  var labels: [MetricLabel]
  var value: Value
}

extension MetricsRegistry {
  /// Takes what was not sent yet.
  func takeChanges() -> [MetricChange] {
    let entries = state.withLock { $0.entries }
    return entries.compactMap { key, entry in
      let value: MetricChange.Value?
      switch entry.metric {
      case .gauge(let gauge):
        value = gauge.state.withLock { state in
          defer { state.isUnsent = false }
          return state.isUnsent ? .gauge(state.value) : nil
        }
      case .counter(let counter):
        let taken = Self.takeUnsent(counter.cell)
        value = taken.count > 0 ? .counter(taken.sum) : nil
      case .sample(let sample):
        let taken = Self.takeUnsent(sample.cell)
        value =
          taken.count > 0 ? .sample(taken.values, rate: Double(taken.values.count) / Double(taken.count)) : nil
      }
      return value.map { MetricChange(name: key.name, labels: key.labels, value: $0) }
    }
  }

  private static func takeUnsent(_ cell: MetricCell) -> (count: Int, sum: Double, values: [Float]) {
    cell.fold((0, 0.0, [])) { taken, state in
      taken.0 += state.unsentCount
      taken.1 += state.unsentSum
      taken.2 += state.unsent
      state.unsentCount = 0
      state.unsentSum = 0
      state.unsent.removeAll(keepingCapacity: true)
    }
  }
}
