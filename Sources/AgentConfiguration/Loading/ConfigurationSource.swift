import HCL
import Model

/// The format of a configuration text.
public enum ConfigurationFormat: String, Sendable, CaseIterable {
  case hcl, json

  /// By the end of a file's name.
  public init?(path: String) {
    if path.hasSuffix(".hcl") {
      self = .hcl
    } else if path.hasSuffix(".json") {
      self = .json
    } else {
      return nil
    }
  }
}

/// One configuration text: a file or a fragment of the command line.
public struct ConfigurationSource: Sendable, Equatable {
  /// The path, or `flags-0.hcl` for a fragment.
  public var name: String
  public var format: ConfigurationFormat
  public var bytes: [UInt8]

  public init(name: String, format: ConfigurationFormat, bytes: [UInt8]) {
    self.name = name
    self.format = format
    self.bytes = bytes
  }

  /// The text as a tree.
  public func document() throws(ConfigurationError) -> HCLObject {
    do throws(HCLError) {
      switch format {
      case .hcl: return try HCL.parse(bytes)
      case .json: return try HCL.parseJSON(bytes)
      }
    } catch {
      throw .syntax(source: name, error)
    }
  }

  /// The options that the text sets, older names replaced, and the warnings about it.
  public func settings() throws(ConfigurationError) -> (values: SettingValues, warnings: [String]) {
    let document = try document()
    var values: SettingValues
    do throws(ConfigurationError) {
      values = try SettingDecoder.decode(document.plainObject)
    } catch {
      throw .source(name, error)
    }
    let warnings = Deprecation.apply(to: &values) + EnterpriseSettings.warnings(values)
    return (values, warnings)
  }
}
