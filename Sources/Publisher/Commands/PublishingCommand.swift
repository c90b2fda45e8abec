import ArgumentParser

/// A command of the command line that sends something and ends with an exit status.
protocol PublishingCommand: ParsableCommand {
    mutating func publish() async throws -> PublisherStatus
}
