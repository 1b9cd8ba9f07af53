import Agent
import AgentConfiguration

/// `consul agent`: runs an agent until it is told to end.
enum AgentCommand {
  /// Collects what all flags say.
  private static let collected = Flag(
    name: "agent", placeholder: nil, help: "", defaultValue: AgentFlags(), shownDefault: nil
  ) { (_, _: inout AgentFlags) throws(FlagValueError) in }

  static var command: Command {
    Command(
      usage: "Usage: consul agent [options]",
      about: """
        Runs an agent: a client of a cluster, or with -server one of its servers. Options come from files and from
        flags, which win.

        An agent for development, alone and without a data directory:

            $ consul agent -dev

        A server with its configuration in a directory:

            $ consul agent -config-dir=/etc/consul.d
        """,
      flags: AgentFlag.all.map(flag),
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    guard invocation.arguments.isEmpty else {
      throw CommandFailure("==> Unexpected extra arguments: [\(invocation.arguments.joined(separator: " "))]")
    }
    do {
      return try await Agent.run(ConfigurationLoader(flags: invocation[collected]))
    } catch {
      throw CommandFailure("==> \(error)")
    }
  }

  /// A flag of the configuration's list as one of the command's.
  private static func flag(_ flag: AgentFlag) -> AnyFlag {
    AnyFlag(name: flag.name, placeholder: flag.valueName, help: flag.meaning) { text, values throws(FlagValueError) in
      var flags = values[collected]
      do throws(AgentFlags.Failure) {
        try flags.set(flag, text)
      } catch {
        guard case .invalidValue(_, _, let reason) = error else { throw .message(error.description) }
        throw .message(reason)
      }
      values[collected] = flags
    }
  }
}
