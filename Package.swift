// swift-tools-version: 6.1
import PackageDescription

// One target per room; dependencies point downwards only. See docs/architecture.md.

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6)]

/// The executable carries the Swift runtime and Foundation inside, so that it runs on a machine without a toolchain.
/// (`--static-swift-stdlib` would do the same for every product, but the test runner needs the dynamic Testing library.)
let staticRuntime: [LinkerSetting] = [
  .unsafeFlags(
    ["-static-stdlib", "-use-ld=lld", "-Xlinker", "--start-group"]
      + [
        "Foundation", "FoundationEssentials", "FoundationInternationalization", "FoundationNetworking",
        "_FoundationCollections", "_FoundationCShims", "_FoundationICU", "CoreFoundation", "_CFURLSessionInterface",
        "_CFXMLInterface", "swiftSynchronization", "swiftObservation", "swiftDistributed",
      ].map { "-l\($0)" }
      + ["-Xlinker", "--end-group"])
]

func nio(_ names: String...) -> [Target.Dependency] {
  names.map { .product(name: $0, package: "swift-nio") }
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let ssl = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ room: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(room)Tests", dependencies: [.init(stringLiteral: room)] + dependencies, swiftSettings: strict)
}

let package = Package(
  name: "proconsul",
  products: [
    .executable(name: "proconsul", targets: ["proconsul"]),
    .library(name: "ConsulClient", targets: ["ConsulClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    room("Model"),
    room("HCL", ["Model"]),
    room("Telemetry", ["Model", logging, metrics]),
    room(
      "Certificates",
      [
        crypto,
        .product(name: "_CryptoExtras", package: "swift-crypto"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
        .product(name: "X509", package: "swift-certificates"),
      ]),
    room("TransportSecurity", [ssl] + nio("NIOCore")),
    room("AgentConfiguration", ["Model", "HCL", "Mesh"]),
    room(
      "Wire",
      ["Model", crypto, .product(name: "NIOHTTPCompression", package: "swift-nio-extras")] + nio("NIOCore")),
    room("Consensus", [logging]),
    room("Gossip", ["Model", logging, crypto] + nio("NIOCore", "NIOPosix")),
    room("Mesh", ["Model"]),
    room("State", ["Model", "Mesh"]),
    room("AccessControl", ["Model", "HCL"]),
    room(
      "Authentication",
      [
        "Model", "AccessControl", crypto,
        .product(name: "_CryptoExtras", package: "swift-crypto"),
        .product(name: "X509", package: "swift-certificates"),
      ]),
    room(
      "GRPC",
      [
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
      ] + nio("NIOCore")),
    room(
      "Server",
      [
        "Model", "Mesh", "Wire", "State", "Consensus", "AccessControl", "Authentication", "Telemetry",
        "TransportSecurity",
        "Certificates", "GRPC", logging,
        .product(name: "HeapModule", package: "swift-collections"),
        ssl,
      ] + nio("NIOCore", "NIOPosix", "NIOTLS", "NIOConcurrencyHelpers")),
    room(
      "Checks",
      [
        "Model", "TransportSecurity", logging,
        .product(name: "Subprocess", package: "swift-subprocess"),
        ssl,
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
      ] + nio("NIOCore", "NIOPosix", "NIOHTTP1", "NIOTLS")),
    room(
      "LocalAgent", ["Model", "Wire", "State", "Server", "Checks", "AccessControl", logging, crypto] + nio("NIOCore")),
    room(
      "HTTPAPI",
      ["Model", "Mesh", "State", "Server", "LocalAgent", "AccessControl", "Telemetry", logging, crypto]
        + nio("NIOCore", "NIOPosix", "NIOHTTP1", "NIOTLS", "NIOConcurrencyHelpers")
        + [
          .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
          ssl,
        ]),
    room("DNSServer", ["Model", "State", "Wire", "Server", "AccessControl", logging] + nio("NIOCore", "NIOPosix")),
    room(
      "ConsulClient",
      ["Model", "TransportSecurity", httpClient, ssl] + nio("NIOCore", "NIOHTTP1", "NIOPosix", "NIOTLS")),
    room(
      "Agent",
      [
        "Model", "AgentConfiguration", "Gossip", "GRPC", "Server", "State", "Consensus", "LocalAgent", "Checks",
        "HTTPAPI",
        "DNSServer", "AccessControl", "Authentication", "Telemetry", "TransportSecurity", "Wire", "ConsulClient",
        logging,
        metrics, httpClient, crypto,
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ssl,
      ] + nio("NIOCore", "NIOPosix", "NIOConcurrencyHelpers")),
    room(
      "CommandLineInterface",
      [
        "Model", "Mesh", "HCL", "Wire", "AccessControl", "Authentication", "AgentConfiguration", "Agent",
        "Certificates",
        "ConsulClient",
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .executableTarget(
      name: "proconsul", dependencies: ["CommandLineInterface"], swiftSettings: strict, linkerSettings: staticRuntime),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Model", "HCL", "AgentConfiguration", "Wire", "State", "Consensus", "Gossip", "Authentication", "GRPC",
        "Server", "HTTPAPI",
      ]
        + nio("NIOCore"),
      path: "Tests/Fuzz", swiftSettings: strict),
    tests("Model"),
    tests("Mesh", ["Model"]),
    tests("Telemetry", ["Model"]),
    tests("HCL", ["Model"]),
    tests("Certificates", [crypto, .product(name: "SwiftASN1", package: "swift-asn1")]),
    tests("TransportSecurity", ["Certificates", ssl] + nio("NIOCore", "NIOEmbedded", "NIOTLS")),
    tests("AgentConfiguration", ["Model", "HCL"]),
    tests("Wire", ["Model"] + nio("NIOCore")),
    // What the simulations of several rooms share: a virtual network, disks that fail, the checker of consensus.
    .target(
      name: "Simulation", dependencies: ["Consensus", logging], path: "Tests/Simulation", swiftSettings: strict),
    tests("Consensus", ["Simulation"]),
    .target(
      name: "SimulatedDatacenter",
      dependencies: ["Simulation", "Model", "State", "Consensus", "Gossip", "Server", logging]
        + nio("NIOCore", "NIOEmbedded"),
      path: "Tests/SimulatedDatacenter", swiftSettings: strict),
    .executableTarget(
      name: "simulate", dependencies: ["SimulatedDatacenter", "Simulation"], path: "Tests/Simulate",
      swiftSettings: strict),
    .testTarget(
      name: "ClusterTests",
      dependencies: ["SimulatedDatacenter", "Simulation", "Model", "State", "Consensus", "Server"],
      swiftSettings: strict),
    tests("Gossip", ["Model"]),
    tests("State", ["Model", "Mesh"]),
    tests("AccessControl", ["Model"]),
    tests("GRPC", nio("NIOCore", "NIOPosix")),
    tests(
      "Authentication",
      [
        "Model", "AccessControl", crypto, .product(name: "_CryptoExtras", package: "swift-crypto"),
        .product(name: "X509", package: "swift-certificates"),
      ]),
    tests(
      "Server",
      [
        "Model", "State", "Consensus", "AccessControl", "Authentication", "Wire", "TransportSecurity", "Certificates",
        "GRPC", ssl, crypto,
      ]
        + nio("NIOCore", "NIOPosix", "NIOEmbedded")),
    tests("Checks", ["Model", crypto] + nio("NIOEmbedded")),
    tests("LocalAgent", ["Model", "Server", "Checks"]),
    tests(
      "HTTPAPI",
      ["Model", "State", "Server", "LocalAgent", "Checks", "AccessControl"]
        + nio("NIOEmbedded", "NIOPosix", "NIOTLS")),
    tests("DNSServer", ["Model", "Wire", "Server"]),
    tests("ConsulClient", ["Model", "Certificates", ssl] + nio("NIOCore", "NIOPosix", "NIOHTTP1")),
    tests("Agent", ["Model", "AgentConfiguration", "Certificates", "ConsulClient", "Server", "LocalAgent", crypto]),
    tests("CommandLineInterface", ["Model", "Wire", "Certificates", "ConsulClient"]),
  ])
