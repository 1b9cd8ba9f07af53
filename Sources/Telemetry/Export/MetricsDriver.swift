import Logging
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A server that metrics are sent to.
public enum MetricsTarget: Sendable, Equatable {
  /// Datagrams (`statsd_address`).
  case statsd(String)
  /// A stream (`statsite_address`).
  case statsite(String)
  /// Datagrams with tags (`dogstatsd_addr`, `dogstatsd_tags`).
  case dogstatsd(String, tags: [String])
}

/// Ends intervals on time and sends metrics out, on a thread of its own, until the process ends.
public final class MetricsDriver: Sendable {
  /// What metrics are called, and where they go.
  private struct Plan: Equatable {
    var settings: MetricsSettings
    var targets: [MetricsTarget]
  }

  private let registry: MetricsRegistry
  private let plan: Mutex<Plan>
  private let logger: Logger

  public init(
    _ registry: MetricsRegistry, settings: MetricsSettings, targets: [MetricsTarget], logger: Logger
  ) {
    self.registry = registry
    plan = Mutex(Plan(settings: settings, targets: targets))
    self.logger = logger
    registry.declare(MetricDefinition.all)
    setDetail()
  }

  /// For reloads of the configuration: from the next second on, metrics go elsewhere or under other names.
  public func update(_ settings: MetricsSettings, targets: [MetricsTarget]) {
    plan.withLock { $0 = Plan(settings: settings, targets: targets) }
    setDetail()
  }

  private func setDetail() {
    let plan = plan.withLock { $0 }
    var detail = MetricDetail()
    if plan.settings.prometheusRetention > 0 { detail.insert(.quantiles) }
    if !plan.targets.isEmpty { detail.insert(.values) }
    registry.detail.set(detail)
  }

  public func start() {
    let driver = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<MetricsDriver>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, driver.toOpaque())
    if result == 0 {
      pthread_detach(thread)
    } else {
      driver.release()
      logger.error("no thread for metrics", metadata: ["errno": "\(result)"])
    }
  }

  /// Once a second sends; every ten seconds, by the clock, ends the interval.
  private func run() {
    var followed = plan.withLock { $0 }
    var outlets = followed.targets.map { Outlet($0, settings: followed.settings) }
    var interval = WallClock.seconds / MetricsRegistry.intervalSeconds
    var isFirst = true
    while true {
      WallClock.sleepToNextSecond()
      let now = WallClock.seconds
      let wanted = plan.withLock { $0 }
      if wanted != followed {
        followed = wanted
        outlets = wanted.targets.map { Outlet($0, settings: wanted.settings) }
      }
      let isOver = now / MetricsRegistry.intervalSeconds != interval
      if isOver || isFirst { registry.collect() }
      isFirst = false
      if isOver {
        registry.endInterval(now: now, idleLimit: max(followed.settings.prometheusRetention, 60))
        interval = now / MetricsRegistry.intervalSeconds
      }
      if !outlets.isEmpty {
        let changes = registry.takeChanges()
        for outlet in outlets { outlet.send(changes, logger) }
      }
    }
  }
}

/// One target with its connection.
private final class Outlet {
  private let connection: MetricsConnection
  private let lines: MetricsLines
  private let packetLimit: Int
  private let name: String
  private var isBroken = false

  init(_ target: MetricsTarget, settings: MetricsSettings) {
    var dialect = MetricsLines.Dialect.plain
    switch target {
    case .statsd(let address):
      name = address
      connection = MetricsConnection(.udp, address: address)
      packetLimit = MetricsConnection.datagramLimit
    case .statsite(let address):
      name = address
      connection = MetricsConnection(.tcp, address: address)
      packetLimit = 64 * 1024
    case .dogstatsd(let address, let tags):
      name = address
      connection = MetricsConnection(.udp, address: address)
      packetLimit = MetricsConnection.datagramLimit
      dialect = .tagged(tags)
    }
    lines = MetricsLines(dialect: dialect, settings: settings)
  }

  func send(_ changes: [MetricChange], _ logger: Logger) {
    var packer = LinePacker(limit: packetLimit)
    for change in changes {
      for line in lines.lines(change) { packer.add(line) }
    }
    let succeeded = connection.send(packer.packets)
    if !succeeded, !isBroken { logger.warning("metrics cannot be sent", metadata: ["address": "\(name)"]) }
    isBroken = !succeeded
  }
}
