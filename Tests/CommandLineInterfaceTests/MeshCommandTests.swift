import Model
import Testing

@testable import CommandLineInterface

/// What the commands of config entries and intentions make of files and answers.
@Suite struct MeshCommandTests {
  @Test(arguments: [
    (
      "Kind = \"service-defaults\"\nName = \"web\"\nProtocol = \"http\"\nMeshGateway { Mode = \"local\" }",
      #""Protocol":"http","TransparentProxy":{},"MeshGateway":{"Mode":"local"}"#
    ),
    (#"{"kind": "proxy-defaults", "name": "global", "config": {"protocol": "grpc"}}"#, #""Config":{"protocol":"grpc"}"#),
    (
      "Kind = \"proxy-defaults\"\nName = \"global\"\nConfig { protocol = \"http\" }",
      #""Config":{"protocol":"http"}"#
    ),
  ])
  func filesInBothLanguagesDescribeEntries(_ text: String, _ part: String) throws {
    let entry = try ConfigEntryFile.decode(Array(text.utf8))
    #expect(entry.record.json.contains(part), "\(entry.record.json)")
  }

  @Test(arguments: [
    ("Name = \"x\"", "Payload does not contain a kind/Kind key at the top level"),
    ("Kind = \"strange\"", "invalid config entry kind: strange"),
    ("Kind = \"service-defaults\" Name = \"x\" Bogus = 1", "1 error occurred:\n\t* invalid config key \"Bogus\"\n\n"),
    ("Kind = ", "Failed to decode config entry input: "),
  ])
  func whatIsWrongWithAFileIsSaid(_ text: String, _ reason: String) {
    let failure = #expect(throws: CommandFailure.self) { try ConfigEntryFile.decode(Array(text.utf8)) }
    #expect(failure?.text.hasPrefix("Failed to decode config entry input: \(reason)") == true, "\(failure?.text ?? "")")
  }

  @Test func anIntentionIsShownWithItsPermissions() {
    var intention = Intention()
    (intention.sourceName, intention.destinationName) = ("job", "api")
    intention.meta["owner"] = "sec"
    var permission = IntentionPermission()
    permission.action = "allow"
    var http = IntentionHTTPPermission()
    (http.pathPrefix, http.methods) = ("/jobs", ["POST"])
    permission.http = http
    intention.permissions = [permission]
    #expect(
      IntentionCommands.text(of: intention) == """
        Source:       job
        Destination:  api
        Meta[owner]:  sec
        Created At:   Monday, 01-Jan-01 00:00:00 UTC
        Permissions:
        [
          {
            "Action": "allow",
            "HTTP": {
              "PathPrefix": "/jobs",
              "Methods": [
                "POST"
              ]
            }
          }
        ]
        """)
    #expect(intention.summary == "job => api (1 permission)")
  }

  @Test func timesAreWrittenOutWithTheirWeekday() {
    #expect(Timestamp(unixSeconds: 1_795_220_528).longText == "Saturday, 21-Nov-26 00:22:08 UTC")
    #expect(Timestamp(unixSeconds: -1).longText == "Wednesday, 31-Dec-69 23:59:59 UTC")
  }
}
