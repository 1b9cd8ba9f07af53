import AgentConfiguration

/// `consul validate`: whether an agent would start with this configuration.
enum ValidateCommand {
  private static let format = Flag.string(
    "config-format", "Format of all files, hcl or json, whatever their names end with.")
  private static let quiet = Flag.bool("quiet", "Print nothing if the configuration is valid.")

  static var command: Command {
    Command(
      usage: "Usage: consul validate [options] FILE_OR_DIRECTORY...",
      about: """
        Checks configuration files and directories as an agent would that starts with all of them together. The exit
        code tells whether it would start.

            $ consul validate /etc/consul.d
        """,
      flags: [format.any, quiet.any]
    ) { invocation in
      guard !invocation.arguments.isEmpty else {
        throw CommandFailure("Must specify at least one config file or directory")
      }
      var flags = AgentFlags()
      flags.configPaths = invocation.arguments
      flags.configFormat = invocation[format].isEmpty ? nil : invocation[format]
      let loaded: LoadedConfiguration
      do throws(ConfigurationError) {
        loaded = try ConfigurationLoader(flags: flags).load()
      } catch {
        if case .unknownFormat = error { throw CommandFailure(error.description) }
        throw CommandFailure("Config validation failed: \(error)")
      }
      guard !invocation[quiet] else { return 0 }
      for warning in loaded.warnings { invocation.console.err(warning) }
      invocation.console.out("Configuration is valid!")
      return 0
    }
  }
}
