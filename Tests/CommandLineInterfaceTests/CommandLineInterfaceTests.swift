import Testing

@testable import CommandLineInterface
