import Model
import Testing

@testable import Checks

private func definition(_ change: (inout CheckType) -> Void) -> CheckType {
  var definition = CheckType()
  change(&definition)
  return definition
}

@Suite struct ValidationTests {
  @Test(
    arguments: [
      definition { _ in }, definition { $0.ttl = .seconds(-5) }, definition { $0.interval = .seconds(10) },
      definition {
        $0.dockerContainerID = "c"
        $0.interval = .seconds(1)
      },
    ])
  func withoutATargetACheckNeedsATTL(definition: CheckType) {
    #expect(throws: CheckError.ttlMissing) { try validate(definition) }
    #expect(CheckError.ttlMissing.description == "TTL must be > 0 for TTL checks")
  }

  @Test(
    arguments: [
      definition { $0.http = "http://127.0.0.1/" }, definition { $0.tcp = "127.0.0.1:1" },
      definition { $0.udp = "127.0.0.1:1" }, definition { $0.grpc = "127.0.0.1:1" },
      definition { $0.h2ping = "127.0.0.1:1" }, definition { $0.osService = "cron" },
      definition { $0.scriptArgs = ["true"] },
      definition {
        $0.tcp = "127.0.0.1:1"
        $0.interval = .seconds(-1)
      },
    ])
  func aProbeNeedsAnInterval(definition: CheckType) {
    #expect(throws: CheckError.intervalMissing) { try validate(definition) }
  }

  @Test func intervalAndTTLExcludeEachOther() {
    let both = definition {
      $0.http = "http://127.0.0.1/"
      $0.interval = .seconds(1)
      $0.ttl = .seconds(1)
    }
    #expect(throws: CheckError.intervalAndTTL) { try validate(both) }
  }

  @Test func limitsAreChecked() {
    let ttl = definition { $0.ttl = .seconds(10) }
    var negative = ttl
    negative.outputMaxSize = -1
    #expect(throws: CheckError.outputMaxSizeNegative) { try validate(negative) }
    var swapped = ttl
    swapped.failuresBeforeWarning = 5
    swapped.failuresBeforeCritical = 2
    #expect(throws: CheckError.warningAboveCritical) { try validate(swapped) }
    var odd = ttl
    odd.successBeforePassing = -1
    #expect(throws: Never.self) { try validate(odd) }
  }

  @Test(
    arguments: [
      (definition { $0.ttl = .seconds(1) }, CheckKind.ttl, "ttl"),
      (definition { $0.http = "http://h/" }, .http, "http"), (definition { $0.proxyHTTP = "http://h/" }, .http, "http"),
      (definition { $0.tcp = "h:1" }, .tcp, "tcp"), (definition { $0.udp = "h:1" }, .udp, "udp"),
      (definition { $0.grpc = "h:1" }, .grpc, "grpc"), (definition { $0.h2ping = "h:1" }, .h2ping, "h2ping"),
      (definition { $0.scriptArgs = ["true"] }, .script, "script"),
      (definition { $0.osService = "cron" }, .osService, "os_service"),
      (definition { $0.aliasService = "web" }, .alias, "alias"), (definition { $0.aliasNode = "n" }, .alias, "alias"),
      (
        definition {
          $0.scriptArgs = ["true"]
          $0.dockerContainerID = "c"
        }, .docker, "docker"
      ),
      (
        definition {
          $0.scriptArgs = ["true"]
          $0.http = "http://h/"
        }, .http, "http"
      ),
      (
        definition {
          $0.http = "http://h/"
          $0.tcp = "h:1"
        }, .http, "http"
      ),
    ])
  func theKindFollowsFromTheTarget(definition: CheckType, kind: CheckKind, name: String) {
    #expect(CheckKind(definition) == kind)
    #expect(kind.rawValue == name)
  }

  @Test func anAliasMayHaveAnInterval() throws {
    let alias = definition {
      $0.aliasService = "web"
      $0.interval = .seconds(5)
    }
    #expect(try validate(alias) == .alias)
  }
}
