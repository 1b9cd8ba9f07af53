import Model

/// What the program says of itself. Tools read these lines, hence their form.
struct VersionReport: Sendable {
  var version: String
  var prerelease: String
  var revision: String
  var buildDate: String
  var protocolDefault: Int
  var protocolMin: Int
  var protocolMax: Int

  static let current = VersionReport(
    version: Release.version, prerelease: "", revision: Release.revision, buildDate: Release.buildDate,
    protocolDefault: 2, protocolMin: 2, protocolMax: 3)

  var pretty: String {
    """
    Consul v\(version)\(prerelease.isEmpty ? "" : "-" + prerelease)
    Revision \(revision)
    Build Date \(buildDate)
    Protocol \(protocolDefault) spoken by default, understands \(protocolMin) to \(protocolMax) \
    (agent will automatically use protocol >\(protocolDefault) when speaking to compatible agents)

    """
  }

  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    for (name, text) in [
      ("Version", version), ("Revision", revision), ("Prerelease", prerelease), ("BuildDate", buildDate),
    ] {
      writer.member(name)
      writer.string(text)
    }
    writer.member("RPC")
    writer.beginObject()
    for (name, number) in [("Default", protocolDefault), ("Min", protocolMin), ("Max", protocolMax)] {
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
      case "pretty": invocation.console.out(VersionReport.current.pretty)
      case "json": invocation.console.out(VersionReport.current.json)
      default: throw CommandFailure("Unknown format: \(invocation[format])")
      }
      return 0
    }
  }
}
