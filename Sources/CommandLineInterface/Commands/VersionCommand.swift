import Model

/// What the program says of itself. Tools read these lines, hence their form.
enum VersionReport {
  /// Versions of the protocol between agents.
  private static let spokenProtocol = 2
  private static let understoodProtocols = 2...3

  static var pretty: String {
    """
    Consul v\(Release.version)
    Revision \(Release.revision)
    Build Date \(Release.buildDate)
    Protocol \(spokenProtocol) spoken by default, understands \(understoodProtocols.lowerBound) to \
    \(understoodProtocols.upperBound) (agent will automatically use protocol >\(spokenProtocol) when speaking to \
    compatible agents)

    """
  }

  static var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, text) in [
      ("Version", Release.version), ("Revision", Release.revision), ("Prerelease", ""),
      ("BuildDate", Release.buildDate),
    ] {
      writer.member(name)
      writer.string(text)
    }
    writer.member("RPC")
    writer.beginObject()
    for (name, number) in [
      ("Default", spokenProtocol), ("Min", understoodProtocols.lowerBound), ("Max", understoodProtocols.upperBound),
    ] {
      writer.member(name)
      writer.integer(number)
    }
    writer.endObject()
    writer.endObject()
    return String(decoding: prettyJSON(writer.bytes), as: UTF8.self).trimmed
  }
}

/// `consul version`
enum VersionCommand {
  private static let format = Flag.string("format", default: "pretty", "How to print it: pretty or json.")

  static var command: Command {
    Command(
      usage: "Usage: consul version [options]",
      about: "Prints the version of this program and of the protocols that it speaks.",
      flags: [format.any]
    ) { invocation in
      switch invocation[format] {
      case "pretty": invocation.console.out(VersionReport.pretty)
      case "json": invocation.console.out(VersionReport.json)
      default: throw CommandFailure("Unknown format: \(invocation[format])")
      }
      return 0
    }
  }
}
