import Testing

@testable import LocalAgent
