import NIOCore

/// Looks once at what a check is about.
protocol Probe: Sendable {
  /// Starts a run, which ends within the probe's timeout.
  ///
  /// - Parameter finish: called once on any thread, unless the run is abandoned; nil means that the run learned nothing.
  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable
}
