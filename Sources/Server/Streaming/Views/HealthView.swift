import Model
import State

/// The instances of a service as a stream of events tells them. A value: it knows neither connections nor readers.
struct HealthView: Sendable {
  /// In the order of nodes and ids.
  private(set) var instances: [ServiceInstance] = []
  /// The index of what `instances` shows; 0 until a first snapshot has arrived.
  private(set) var index: UInt64 = 0
  /// Whether instances were left out of what arrived, because the token may not see them.
  private(set) var isFiltered = false
  /// What has arrived of a snapshot that is not whole; nil while single events come.
  private var incoming: [ServiceInstance]? = []

  /// Whether there is anything to show.
  var isComplete: Bool { index > 0 }

  /// What the next subscription begins with: 0 asks for everything.
  private(set) var resumeIndex: UInt64 = 0

  /// A new subscription was made, from `resumeIndex`.
  mutating func subscribed() { incoming = resumeIndex == 0 ? [] : nil }

  /// The next subscription has to begin anew. What is known is shown until then.
  mutating func startAnew() { resumeIndex = 0 }

  /// Forgets everything, for those who may not see it any more.
  mutating func clear() { self = HealthView() }

  /// Takes an event in; true if what there is to show has changed.
  mutating func receive(_ event: StreamEvent) -> Bool {
    if event.newSnapshotToFollow {
      incoming = []
      return false
    }
    if event.endOfSnapshot {
      guard let all = incoming else { return false }
      instances = all
      incoming = nil
      isFiltered = event.isFiltered
      show(event.index)
      return true
    }
    if var all = incoming {
      // Taken out while it changes, so that it is not copied.
      incoming = nil
      Self.apply(event, to: &all)
      incoming = all
      return false
    }
    Self.apply(event, to: &instances)
    if event.isFiltered { isFiltered = true }
    show(event.index)
    return true
  }

  private mutating func show(_ index: UInt64) {
    self.index = max(index, 1)
    resumeIndex = self.index
  }

  private static func apply(_ event: StreamEvent, to instances: inout [ServiceInstance]) {
    if let update = event.serviceHealth { apply(update, to: &instances) }
    // Batches are one level deep.
    for event in event.batch?.events ?? [] {
      if let update = event.serviceHealth { apply(update, to: &instances) }
    }
  }

  private static func apply(_ update: ServiceHealthUpdate, to instances: inout [ServiceInstance]) {
    guard let instance = update.instance?.instance else { return }
    let place = InstancePlace(instance)
    let index = lowerBound(of: place, in: instances)
    let exists = index < instances.count && InstancePlace(instances[index]) == place
    if update.op == CatalogOp.deregister {
      if exists { instances.remove(at: index) }
    } else if exists {
      instances[index] = instance
    } else {
      instances.insert(instance, at: index)
    }
  }

  /// The first place whose instance is not before `place`. Snapshots come in order: it is nearly always the end.
  private static func lowerBound(of place: InstancePlace, in instances: [ServiceInstance]) -> Int {
    if let last = instances.last, InstancePlace(last) < place { return instances.count }
    var (low, high) = (0, instances.count)
    while low < high {
      let middle = (low + high) / 2
      if InstancePlace(instances[middle]) < place { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
