import AgentConfiguration
import HCL
import Model

@testable import HTTPAPI
@testable import Server
@testable import State

/// Expressions of the filter language, evaluated on records of all kinds.
struct FilterTarget: FuzzTarget {
  let name = "filter"
  let tokens = [
    " and ", " or ", "not ", " == ", " != ", " in ", " not in ", " contains ", " is empty", " is not empty",
    " matches ",
    " not matches ", "(", ")", "\"", "`", ".", "[", "]", "Service.Meta", "Node.Meta[\"a\"]", "Checks", "ServiceTags",
    "any ", "all ", " as ", "{", "}", "(?i)", "[a-z]*", "{2,5}", "\\d", "$", "^", "|",
  ]

  var corpus: [[UInt8]] {
    [
      "Node.Meta.env == \"prod\" and (Service.Port != 80 or not Service.Tags is empty)", "ServiceMeta[\"a b\"] == x",
      "\"a\" in Service.Tags", "Service.Tags not contains `b`", "Node.Node matches \"^n[0-9]{1,3}$\"",
      "Checks is not empty", "Service.Meta is empty or \"k\" in Service.Meta", "Node == n and Address == \"192.0.2.1\"",
      "Meta.a not matches \"(?i)x|(y+)*z\"",
    ].map { Array($0.utf8) }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    let text = String(decoding: input, as: UTF8.self)
    guard let store = try? Fixture.store() else { throw BrokenPromise(what: "the fixture cannot be made") }
    let instances = store.current.healthServiceNodes("web").value
    var outcomes: [String] = []
    outcomes.append(result(text, instances.map { HealthEntry($0) }))
    outcomes.append(result(text, store.current.nodes().value.map(\.value)))
    outcomes.append(result(text, instances.map { ServiceNode($0) }))
    outcomes.append(result(text, instances.map(\.service.value)))
    let all = outcomes.joined(separator: "|")
    return outcomes.contains { $0.hasPrefix("=") } ? .accepted(all) : .refused(all)
  }

  private func result<Root: Filterable>(_ text: String, _ elements: [Root]) -> String {
    do throws(FilterError) {
      let filter = try Filter<Root>(text)
      return "=\(elements.filter { filter.matches($0) }.count)"
    } catch {
      return String("\(error)".filter(\.isLetter).prefix(40))
    }
  }
}

/// Configuration files in both of their languages.
struct HCLTarget: FuzzTarget {
  let name = "hcl"
  let tokens = [
    "{", "}", "[", "]", " = ", ",", "\"", "${", "<<EOF\n", "\nEOF\n", "<<-E\n", "#", "//", "/*", "*/", "\\u00e9",
    "0x1f",
    "1e9", "true", "null", "service ", "check ", "ports ", "\r\n", "\u{FEFF}", ":",
  ]

  var corpus: [[UInt8]] {
    [
      "service { name = \"web\" port = 80 check { http = \"http://x\" interval = \"10s\" } tags = [\"a\", \"b\",] }",
      #"{"services": [{"name": "web", "port": 80, "meta": {"a": "\u00e9\ud83d\ude00"}}], "server": true}"#,
      "node_name = <<EOF\ntext\nEOF\nports { http = 8501 dns = -1 }\n/* x */ # y\n",
      """
      datacenter = "east"
      acl { enabled = true default_policy = "deny" tokens { agent = "a" } }
      telemetry { prefix_filter = ["+a", "-b"] }
      watches = [{ type = "key" key = "a" args = ["x"] }]
      """,
    ].map { Array($0.utf8) }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    var outcomes: [String] = []
    var wasParsed = false
    for (language, parse) in Self.languages {
      do {
        let parsed = try parse(input)
        wasParsed = true
        // In JSON a block is a list of objects: two levels for one.
        let limits = HCL.Limits(depth: 1024)
        let again = try? HCL.parseJSON(Array(parsed.plain.json.utf8), limits: limits)
        guard let again, again.plain == parsed.plain else {
          throw BrokenPromise(what: "what was parsed is written in a way that is read differently")
        }
        outcomes.append("\(language) \(parsed.entries.count.trailingZeroBitCount)")
      } catch let error as BrokenPromise {
        throw error
      } catch let error as HCLError {
        outcomes.append(String(error.description.filter(\.isLetter).prefix(40)))
      } catch {
        throw BrokenPromise(what: "\(error)")
      }
    }
    let all = outcomes.joined(separator: "|")
    return wasParsed ? .accepted(all) : .refused(all)
  }

  private static let languages: [(String, @Sendable ([UInt8]) throws(HCLError) -> HCLObject)] = [
    ("hcl", { bytes throws(HCLError) in try HCL.parse(bytes) }),
    ("json", { bytes throws(HCLError) in try HCL.parseJSON(bytes) }),
  ]
}
