/// # Telemetry
///
/// What the process says about itself: log records and their sinks. It owns formats and outputs. It must not know what the
/// other rooms do; they reach it through swift-log.
