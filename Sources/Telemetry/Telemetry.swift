/// # Telemetry
///
/// What the process says about itself: log records and their sinks (`Logs/`), figures and what becomes of them (`Metrics/`
/// adds up, `Export/` shows and sends). It owns formats and outputs. It must not know what the other rooms do; they reach it
/// through swift-log, swift-metrics, or the counters of `MetricsRegistry.shared` where nanoseconds count.
