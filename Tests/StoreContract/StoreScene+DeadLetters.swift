import CardSealing
import Core
import Testing

extension StoreScene {
    /// A dead letter of the scene's merchant, read as the ingester reads it.
    ///
    /// - Parameters:
    ///   - name: tells its failure from others of the same message.
    ///   - command: whose message it is; `nil`: one of nobody's payment.
    ///   - key: what the card of an authorize is sealed for; `nil`: it is plain.
    ///   - ago: seconds since it failed; in whole seconds by this machine's clock, for the filters by age.
    func deadLetter(
        _ kind: OperationKind,
        _ name: String,
        _ command: Command? = nil,
        origin: DeadLetterOrigin = .processor,
        id: DeadLetterID = DeadLetterID(.random),
        instance: FailureInstance? = nil,
        sealedFor key: CardKey? = nil,
        ago: Int = 0,
        _ change: (inout Message) -> Void = { _ in }
    ) throws -> DeadLetter {
        let card = #"{"number":"4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}"#
        let paymentID = command?.paymentID ?? PaymentID(.random)
        var body = #"{"order_id":"o","customer_id":"c","amount":5000,"card":\#(card)}"#
        if let key {
            let content = try JSONParser.parse(Array(card.utf8))
            let token = try CardSealer.seal(content, for: paymentID.description, with: key.publicKey)
            body = #"{"order_id":"o","customer_id":"c","amount":5000,"sealed_card":"\#(token)"}"#
        }
        let failedAt = subject.now.advanced(by: .seconds(-ago))
        var message = Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: "message-\(name)",
            headers: [
                HeaderName.paymentID: .string(paymentID.description),
                HeaderName.merchantID: .string(merchant.description),
                HeaderName.idempotencyKey: .string(command?.idempotencyKey.description ?? "key-\(name)"),
                HeaderName.errorCode: .string(DeadLetterFailure.needsAttention),
                HeaderName.errorMessage: .string("echo_differs"),
                HeaderName.failedAt: .integer(failedAt.microseconds),
            ],
            body: kind == .authorize ? Array(body.utf8) : Array("{}".utf8)
        )
        change(&message)
        let reader = DeadLetterReader(
            fingerprinter: Fingerprinter(secret: Array(id.description.utf8)),
            cards: CardIntake(keys: try CardKeyring(key.map { [$0] } ?? []))
        )
        let deadLetter = reader.deadLetter(message, origin, id: id, now: failedAt)
        return DeadLetter(
            id: deadLetter.id,
            instance: instance ?? deadLetter.instance,
            failure: deadLetter.failure,
            command: deadLetter.command,
            content: deadLetter.content,
            replayOf: deadLetter.replayOf
        )
    }
}

extension FailureInstance {
    static var random: FailureInstance {
        FailureInstance(bytes: (0..<32).map { _ in UInt8.random(in: 0...255) })
    }
}

extension ReplayClaim {
    /// Of a replay of its own.
    static var random: ReplayClaim { ReplayClaim(replay: ReplayID(.random), fencingToken: 1) }
}
