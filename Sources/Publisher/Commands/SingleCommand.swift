import Core
import PaymentCommands

/// One command, sent and answered.
protocol SingleCommand: PublishingCommand {
    var sending: SendingOptions { get }

    /// What `--card-key` says, for a command with a card.
    var cardKey: String? { get }

    /// What the options say, not checked yet.
    func draft(now: Timestamp) throws(Failure) -> OutgoingCommand
}

extension SingleCommand {
    var cardKey: String? { nil }

    func publish() async throws -> PublisherStatus {
        let timeLimit = try sending.timeLimit
        var command = try draft(now: SystemTime.now())
        if !sending.noCheck { try CommandCheck.check(command) }
        let configuration = try PublisherConfiguration.load(sending.broker, cardKey: cardKey)
        if command.hasPlainCard, let key = try await configuration.cardSealingKey() {
            do throws(PaymentClientError) {
                command = try command.sealed(for: key)
            } catch {
                throw Failure(cardKey: error)
            }
        }
        let exchange = SingleExchange(
            command: PaymentCommand(unchecked: command),
            timeout: timeLimit,
            presentation: sending.json ? .json : .text(Palette(isColoured: Terminal.outputWantsColour))
        )
        return sending.noWait
            ? try await exchange.send(configuration) : try await exchange.sendAndWait(configuration)
    }
}

extension Terminal {
    static var outputWantsColour: Bool {
        wantsColour(isTerminal: isTerminal(1), environment: environment)
    }
}
