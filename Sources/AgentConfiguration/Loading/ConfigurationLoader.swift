import Model

/// A configuration and what there is to say about it.
public struct LoadedConfiguration: Sendable, Equatable {
  public var configuration: RuntimeConfiguration
  /// In the order in which they should be shown.
  public var warnings: [String]
}

/// Loads the configuration of an agent from all its sources.
///
/// Later sources win: defaults, development mode, what servers gave, files and directories in the order of the command line, fragments
/// (`-hcl`), flags. Lists grow, maps are merged by name.
public struct ConfigurationLoader: Sendable {
  public let flags: AgentFlags
  /// What servers decided about for this agent (`auto_config`): counts where nothing else says anything.
  public var automatic = SettingValues()
  private let host: HostEnvironment

  public init(flags: AgentFlags, host: HostEnvironment = .thisHost) {
    self.flags = flags
    self.host = host
  }

  /// Reads all sources and checks the result. A reload calls this again.
  ///
  /// - Throws: `ConfigurationError` for the first source that cannot be used, or for what does not go together.
  public func load() throws(ConfigurationError) -> LoadedConfiguration {
    let format = try format()
    var files = ConfigurationFiles(host: host, format: format)
    for path in flags.configPaths { try files.add(path) }
    let fragments = flags.fragments.enumerated().map { index, text in
      ConfigurationSource(name: "flags-\(index).hcl", format: .hcl, bytes: Array(text.utf8))
    }
    var warnings = files.warnings
    var values = SettingTable.defaults
    if flags.isDevelopment { values.merge(DevelopmentMode.values) }
    values.merge(automatic)
    for source in files.sources + fragments {
      let (settings, more) = try source.settings()
      values.merge(settings)
      warnings += more
    }
    var fromFlags = flags.values
    warnings += Deprecation.apply(to: &fromFlags) + EnterpriseSettings.warnings(fromFlags)
    values.merge(fromFlags)
    var builder = RuntimeBuilder(values, isDevelopment: flags.isDevelopment, host: host)
    let configuration = try builder.build(sourcePaths: flags.configPaths)
    return LoadedConfiguration(configuration: configuration, warnings: warnings + builder.warnings)
  }

  private func format() throws(ConfigurationError) -> ConfigurationFormat? {
    guard let text = flags.configFormat, !text.isEmpty else { return nil }
    guard let format = ConfigurationFormat(rawValue: text) else { throw .unknownFormat }
    return format
  }

  /// The service definitions of files and directories, for `consul services register` and `deregister`: nothing else of
  /// them counts.
  public static func services(
    in paths: [String], host: HostEnvironment = .thisHost
  ) throws(ConfigurationError) -> [ServiceDefinition] {
    var result: [ServiceDefinition] = []
    for path in paths {
      var files = ConfigurationFiles(host: host, format: nil)
      try files.add(path)
      for source in files.sources {
        let (values, _) = try source.settings()
        for block in values.list("service") + values.list("services") {
          do throws(DecodingError) {
            result.append(try ServiceDefinition(configuration: block.object ?? DynamicObject()))
          } catch {
            throw .source(source.name, .invalid(error.description))
          }
        }
      }
    }
    return result
  }
}
