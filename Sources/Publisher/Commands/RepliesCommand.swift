import ArgumentParser
import Core
import PaymentCommands
import Program

struct RepliesCommand: PublishingCommand {
    static let configuration = CommandConfiguration(
        commandName: "replies",
        abstract: "Take replies from the common reply queue, and print them.",
        discussion: """
            Replies to commands without a reply_to wait in payments.replies until somebody takes them. Each is removed from the \
            queue once it is printed. Without --follow it ends when those that were there are printed.

            EXAMPLE:
              publisher replies --json >> replies.ndjson

            EXIT CODES: 0 done, 64 usage, 69 broker, 74 standard output cannot be written, 78 configuration.
            """
    )

    @Flag(help: "Go on with what comes, until it is interrupted.")
    var follow = false

    @Flag(help: "Print each reply's body as it is, one a line.")
    var json = false

    @OptionGroup
    var broker: BrokerOptions

    mutating func publish() async throws -> PublisherStatus {
        let configuration = try PublisherConfiguration.load(broker)
        let presentation: Presentation = json ? .json : .text(Palette(isColoured: Terminal.outputWantsColour))
        let client = try await CommandConnection.opened(configuration)
        let reading = ReplyReading(client: client, presentation: presentation, follows: follow)
        let result: Result<Void, Failure>
        do throws(Failure) {
            result = .success(try await reading.run())
        } catch {
            result = .failure(error)
        }
        await client.close()
        try result.get()
        return .succeeded
    }
}
