import AsyncHTTPClient
import ConsulClient
import Model
import NIOCore
import NIOSSL
import Subprocess
import SystemPackage

/// What is called with each state of a view.
enum WatchHandler: Sendable {
  /// A program, or a script for the shell: it reads the view as JSON from its input and finds the index in `CONSUL_INDEX`,
  /// or in `CONSUL_HASH` the hash of what the agent itself knows.
  case program([String])
  case script(String)
  /// The view is sent to a server.
  case http(WatchRequest)

  /// Why a definition names no handler.
  enum Problem: Error, Equatable, CustomStringConvertible {
    case missing
    case wrongMember(String)

    var description: String {
      switch self {
      case .missing: "Must define a watch handler"
      case .wrongMember(let name): "Invalid value of \(name)"
      }
    }
  }

  /// How much of a program's output the log shows.
  private static let outputLimit = 4096

  init(_ definition: DynamicMap) throws(Problem) {
    if definition["handler_type"]?.string == "http" {
      guard let configuration = definition["http_handler_config"] else { throw .missing }
      self = .http(try WatchRequest(configuration))
    } else if let script = definition["handler"]?.string, !script.isEmpty {
      self = .script(script)
    } else if case .array(let words)? = definition["args"], !words.isEmpty {
      var arguments: [String] = []
      for word in words {
        guard let text = word.string else { throw .wrongMember("args") }
        arguments.append(text)
      }
      self = .program(arguments)
    } else {
      throw .missing
    }
  }

  /// Calls the handler and waits for its end. Returns what to tell if it did not end well.
  func call(_ update: Watch.Update) async -> String? {
    switch self {
    case .program(let words): await Self.run(words, update)
    case .script(let script): await Self.run([Environment["SHELL"] ?? "/bin/sh", "-c", script], update)
    case .http(let request): await request.send(update)
    }
  }

  private static func run(_ words: [String], _ update: Watch.Update) async -> String? {
    guard let program = words.first else { return "no program" }
    var platform = PlatformOptions()
    platform.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(5))]
    let configuration = Configuration(
      executable: program.contains("/") ? .path(FilePath(program)) : .name(program),
      arguments: Arguments(Array(words.dropFirst())),
      environment: .inherit.updating([update.position.variable: update.position.value]), platformOptions: platform)
    do {
      let result = try await Subprocess.run(
        configuration, input: .inputWriter, output: .sequence, error: .combinedWithOutput
      ) { execution in
        // A program need not read its input.
        _ = try? await execution.standardInputWriter.write(update.json + [UInt8(ascii: "\n")])
        try? await execution.standardInputWriter.finish()
        var output: [UInt8] = []
        for try await chunk in execution.standardOutput {
          chunk.withUnsafeBytes { output.append(contentsOf: $0.prefix(max(0, outputLimit - output.count))) }
        }
        return output
      }
      let output = String(decoding: result.closureResult, as: UTF8.self)
      switch result.terminationStatus {
      case .exited(0): return nil
      case .exited(let code): return "exit status \(code)" + (output.isEmpty ? "" : ": \(output)")
      case .signaled(let number): return "signal \(number)"
      }
    } catch {
      return "\(program): \(error)"
    }
  }
}

extension Watch.Update {
  /// Which state of the view it is, for handlers.
  fileprivate var position: (variable: Subprocess.Environment.Key, header: String, value: String) {
    if let hash { return ("CONSUL_HASH", "X-Consul-Hash", hash) }
    return ("CONSUL_INDEX", "X-Consul-Index", String(index))
  }
}

/// A request that carries the state of a view (`http_handler_config`).
struct WatchRequest: Sendable, Equatable {
  static let defaultTimeout = GoDuration.seconds(10)

  var url: String
  var method = "POST"
  var timeout = Self.defaultTimeout
  var headers: [(name: String, value: String)] = []
  var verifiesTLS = true

  static func == (a: WatchRequest, b: WatchRequest) -> Bool {
    a.url == b.url && a.method == b.method && a.timeout == b.timeout && a.verifiesTLS == b.verifiesTLS
      && a.headers.elementsEqual(b.headers, by: ==)
  }

  /// - Parameter value: an object, or a list of one as HCL blocks are read.
  init(_ value: Dynamic) throws(WatchHandler.Problem) {
    let configuration = value.array?.first ?? value
    guard let members = configuration.object else { throw .wrongMember("http_handler_config") }
    guard let path = members["path"]?.string, !path.isEmpty else { throw .wrongMember("path") }
    url = path
    if let text = members["method"]?.string, !text.isEmpty { method = text }
    if let text = members["timeout"]?.string, !text.isEmpty {
      guard let duration = GoDuration(text), duration > .zero else { throw .wrongMember("timeout") }
      timeout = duration
    }
    if case .bool(true)? = members["tls_skip_verify"] { verifiesTLS = false }
    let header = members["header"].flatMap { $0.array?.first ?? $0 }
    for (name, value) in header?.object ?? DynamicObject() {
      for text in value.array ?? [value] {
        guard let text = text.string else { throw .wrongMember("header") }
        headers.append((name, text))
      }
    }
  }

  func send(_ update: Watch.Update) async -> String? {
    var settings = HTTPClient.Configuration()
    if !verifiesTLS {
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.certificateVerification = .none
      settings.tlsConfiguration = tls
    }
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    let complaint: String?
    do {
      var request = HTTPClientRequest(url: url)
      request.method = .RAW(value: method)
      request.headers.add(name: "Content-Type", value: "application/json")
      request.headers.add(name: update.position.header, value: update.position.value)
      for header in headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
      request.body = .bytes(ByteBuffer(bytes: update.json))
      let response = try await client.execute(request, timeout: .nanoseconds(timeout.nanoseconds))
      complaint = (200..<300).contains(response.status.code) ? nil : "HTTP status \(response.status.code)"
    } catch {
      complaint = "\(url): \(error)"
    }
    try? await client.shutdown()
    return complaint
  }
}
