import Model
import AgentConfiguration
import Telemetry

/// Makes the sinks of the log, beside the console, from the configuration.
enum LogSetup {
  static func sinks(
    _ logging: RuntimeConfiguration.Logging, level: LogLevel
  ) throws(AgentError) -> [any AdjustableLogSink] {
    var sinks: [any AdjustableLogSink] = []
    if !logging.file.isEmpty {
      let rotation = LogRotation(
        sizeLimit: logging.rotateBytes, ageLimit: logging.rotateDuration.nanoseconds, keptFiles: logging.rotateMaxFiles)
      do throws(LogFileError) {
        sinks.append(try FileSink(path: logging.file, rotation: rotation, level: level, json: logging.json))
      } catch {
        throw .configuration("Failed to setup logging: \(error)")
      }
    }
    if logging.enableSyslog {
      guard let sink = SyslogSink(facility: logging.syslogFacility, level: level, json: logging.json) else {
        throw .configuration("Syslog setup error: invalid syslog facility: \(logging.syslogFacility)")
      }
      sinks.append(sink)
    }
    return sinks
  }
}
