import ArgumentParser
import Core
import PaymentCommands
import Program

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

/// A command of the command line that sends something and ends with an exit status.
protocol PublishingCommand: ParsableCommand {
    mutating func publish() async throws -> PublisherStatus
}

/// How a person or a program gets the result.
enum Presentation {
    case json
    case text(Palette)
}

/// One command, and its reply.
struct SingleExchange {
    let command: PaymentCommand
    let timeout: Duration
    let presentation: Presentation

    /// Ends when the broker has the command. Its reply will lie in the common reply queue.
    func send(_ configuration: PublisherConfiguration) async throws(Failure) -> PublisherStatus {
        try await connected(configuration) { client throws(PaymentClientError) in
            try await client.post(command, confirmedWithin: timeout)
        }
        switch presentation {
        case .json: StandardStream.output.write(ReceiptText.json(command) + "\n")
        case .text(let palette): StandardStream.output.write(ReceiptText.text(command, palette))
        }
        return .succeeded
    }

    /// Ends with the final reply, or when there was none in time.
    func sendAndWait(_ configuration: PublisherConfiguration) async throws(Failure) -> PublisherStatus {
        let reply = try await connected(configuration, sendAndWait)
        show(reply)
        return reply.received.status
    }

    private func sendAndWait(_ client: PaymentClient) async throws(PaymentClientError) -> PaymentReply {
        try await client.prepareForReplies()
        // Before it is sent: who interrupts this must still know what to ask for.
        StandardError.line("sending \(command.operation): payment \(command.paymentID), key \(command.idempotencyKey)")
        let pending = try await client.send(command, confirmedWithin: timeout)
        do throws(PaymentClientError) {
            return try await pending.value(within: timeout, onProvisional: announce)
        } catch {
            if error.code == .noReply, let provisional = pending.provisional { show(provisional) }
            throw error
        }
    }

    private func connected<Result: Sendable>(
        _ configuration: PublisherConfiguration,
        _ exchange: (PaymentClient) async throws(PaymentClientError) -> Result
    ) async throws(Failure) -> Result {
        do throws(PaymentClientError) {
            let client = try await PaymentClient.connect(configuration.client)
            let result: Swift.Result<Result, PaymentClientError>
            do throws(PaymentClientError) {
                result = .success(try await exchange(client))
            } catch {
                result = .failure(error)
            }
            await client.close()
            return try result.get()
        } catch {
            throw Failure(error, wayOut: wayOut)
        }
    }

    private func announce(_ provisional: PaymentReply) {
        let code = provisional.problem.map { " (\($0.code))" } ?? ""
        StandardError.line("it is not known yet what the bank did\(PlainText.of(code)); waiting for the final reply")
    }

    private func show(_ reply: PaymentReply) {
        switch presentation {
        case .json: StandardStream.output.write(reply.body + [UInt8(ascii: "\n")])
        case .text(let palette): StandardStream.output.write(ReplyText(reply.received, palette).text)
        }
    }

    private var wayOut: String {
        "to ask again, send the same with --payment-id \(command.paymentID) --idempotency-key \(command.idempotencyKey)"
    }
}

extension OutgoingCommand {
    init(kind: OperationKind, paymentID: String?, options: SendingOptions, deadline: Timestamp?, body: JSONValue) {
        self.init(
            kind: kind,
            paymentID: paymentID,
            idempotencyKey: options.idempotencyKey,
            merchantID: options.merchantID,
            deadline: deadline,
            body: body
        )
    }
}

extension CommandConnection {
    /// Connects; what is wrong is said in the words of the command line.
    static func opened(_ configuration: PublisherConfiguration) async throws(Failure) -> CommandConnection {
        do throws(PaymentClientError) {
            return try await connect(configuration.client)
        } catch {
            throw Failure(error)
        }
    }
}
