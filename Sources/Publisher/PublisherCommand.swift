import ArgumentParser
import Program

/// The upstream side: sends commands and shows their replies (docs/contract.md#publisher).
struct PublisherCommand: ParsableCommand {
    static let program = "publisher"

    static let configuration = CommandConfiguration(
        commandName: "publisher",
        abstract: "Send payment commands to the broker and show the replies.",
        discussion: """
            EXAMPLES:
              publisher authorize --amount 5000 --order-id order-1 --customer-id cust-1 \\
                  --card 4111111111111111 --cvv 123 --expiry 12/2030
              echo '4111111111111111 123 12/2030' | publisher authorize --card - \\
                  --amount 5000 --order-id order-1 --customer-id cust-1
              publisher capture --payment-id 0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a
              publisher batch commands.ndjson

            EXIT CODES:
              0   succeeded
              2   declined by the bank
              3   rejected by the processor; the bank was not asked
              4   not known yet what the bank did, or no reply in time
              64  wrong usage, nothing was sent
              69  the broker cannot be reached or used, and nothing can have been sent
              74  standard output cannot be written, whatever became of the command
              78  wrong configuration, nothing was sent

            CONFIGURATION:
              amqp.url     --amqp-url or AMQP_URL;
                           default amqp://guest:guest@127.0.0.1:5672/%2f
              amqp.prefix  --amqp-prefix or AMQP_PREFIX; default payments
              amqp.ca-file, amqp.cert-file, amqp.key-file
                           PEM files for amqps://, likewise; default: the
                           system's authorities, no client certificate
              publisher.card-key
                           --card-key or PUBLISHER_CARD_KEY; the processor's
                           public key, a file or an address: cards are sealed
                           for it; default: none, cards are sent as they are
              allow-plaintext
                           ALLOW_PLAINTEXT; true lets amqp:// lead to another
                           machine; default false
              The command line wins over the environment, and that over .env of the \
            working directory.

            COMPLETION:
              publisher --generate-completion-script bash|zsh|fish
            """,
        version: ProductVersion.line(of: program),
        subcommands: [
            AuthorizeCommand.self, CaptureCommand.self, VoidCommand.self, RefundCommand.self, BatchCommand.self,
            RepliesCommand.self,
        ]
    )

    /// Runs what the arguments ask for, and reports what went wrong.
    static func execute(_ arguments: [String]) async -> PublisherStatus {
        do {
            try RepeatedOption.check(arguments)
            try ArgumentCheck.check(arguments)
            var command = try parseAsRoot(arguments)
            switch command {
            case var command as any PublishingCommand: return try await command.publish()
            default:
                // ArgumentParser's own: help and completion scripts, which end by throwing.
                try command.run()
                return .succeeded
            }
        } catch let failure as Failure {
            return failure.report()
        } catch {
            return report(error, subcommand: arguments.first)
        }
    }

    func run() throws {
        throw Failure(
            .usage,
            "say what to send: authorize, capture, void, refund, batch or replies (see 'publisher --help')"
        )
    }

    /// An error of ArgumentParser: the help that was asked for, or one line with the way out.
    private static func report(_ error: any Error, subcommand: String?) -> PublisherStatus {
        guard exitCode(for: error) != .success else {
            StandardStream.output.write(fullMessage(for: error) + "\n")
            return .succeeded
        }
        let known = configuration.subcommands.contains { $0._commandName == subcommand }
        let help = ["publisher", known ? subcommand : nil, "--help"].compactMap(\.self).joined(separator: " ")
        let message = message(for: error).split(separator: "\n").joined(separator: "; ")
        StandardError.line("\(CardNumberMask.masking(message)) (see '\(help)')")
        return .usage
    }
}
