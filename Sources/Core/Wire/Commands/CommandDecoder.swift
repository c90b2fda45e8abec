/// Reads a command message by the rules of docs/contract.md#commands. Pure and total: any bytes give one of the three
/// results.
package struct CommandDecoder: Sendable {
    package init() {}

    package func decode(_ message: Message) -> DecodedMessage {
        guard let type = message.type else { return .unanswerable(EnvelopeDecoder.missing(.type, message)) }
        guard let kind = OperationKind(commandType: type) else {
            return .unanswerable(InvalidField("type", "is none of the command types of version 1"))
        }
        let key: IdempotencyKey
        do throws(InvalidField) {
            key = try EnvelopeDecoder.idempotencyKey(message)
        } catch {
            return .unanswerable(error)
        }
        do throws(InvalidField) {
            return .command(try command(kind, key, message))
        } catch {
            return .answerable(
                InvalidCommand(
                    kind: kind,
                    idempotencyKey: key,
                    paymentID: try? EnvelopeDecoder.paymentID(message),
                    merchantID: try? EnvelopeDecoder.merchantID(message),
                    messageID: try? EnvelopeDecoder.messageID(message),
                    route: EnvelopeDecoder.route(message),
                    problem: error
                )
            )
        }
    }

    private func command(
        _ kind: OperationKind,
        _ key: IdempotencyKey,
        _ message: Message
    ) throws(InvalidField) -> Command {
        try EnvelopeDecoder.checkProperties(message)
        return Command(
            paymentID: try EnvelopeDecoder.paymentID(message),
            merchantID: try EnvelopeDecoder.merchantID(message),
            idempotencyKey: key,
            messageID: try EnvelopeDecoder.messageID(message),
            parameters: try BodyDecoder.parameters(kind, message.body),
            deadline: try EnvelopeDecoder.deadline(message),
            route: EnvelopeDecoder.route(message)
        )
    }
}
