import Testing

@testable import AgentConfiguration
