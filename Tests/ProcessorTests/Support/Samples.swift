import Core
import Testing

@testable import Processor

/// Commands, operations and payments for tests.
enum Samples {
    static let paymentID = PaymentID(UniqueID(high: 0, low: 1))

    static func authorize(
        key: String = "key 1",
        messageID: String = "m-1",
        card: String = "4111111111111111",
        traceparent: String? = nil
    ) throws -> Command {
        let details = CardDetails(number: card, cvv: "987", expiryMonth: 12, expiryYear: 2_030)
        return Command(
            paymentID: paymentID,
            merchantID: try #require(MerchantID("shop")),
            idempotencyKey: try #require(IdempotencyKey(key)),
            messageID: messageID,
            parameters: .authorize(
                AuthorizeParameters(
                    orderID: "order-1",
                    customerID: "customer-1",
                    amount: Money(verified: 5_000, currency: .usd),
                    card: try #require(details)
                )
            ),
            route: ReplyRoute(traceparent: traceparent)
        )
    }

    static func reply(to command: Command) -> Reply {
        Reply(
            operation: command.kind,
            outcome: .succeeded,
            payment: nil,
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey
        )
    }

    /// As the decoder makes them: a capture with an ill-formed payment id.
    static func invalidCommand() throws -> InvalidCommand {
        let message = Message(
            type: "payment.capture.v1",
            contentType: "application/json",
            messageID: "m-1",
            correlationID: nil,
            headers: [HeaderName.idempotencyKey: .string("key-1"), HeaderName.paymentID: .string("nonsense")],
            body: Array("{}".utf8)
        )
        guard case .answerable(let command) = CommandDecoder().decode(message) else {
            throw Failure.unexpected
        }
        return command
    }

    enum Failure: Error {
        case unexpected
    }

    static func operation(key: String = "key-1") -> Operation {
        Operation(
            id: OperationID(UniqueID(high: 0, low: 9)),
            merchantID: .default,
            idempotencyKey: IdempotencyKey(verified: key),
            kind: .capture,
            paymentID: paymentID,
            fingerprint: Fingerprint(bytes: []),
            bankKey: "op_9",
            route: ReplyRoute(),
            createdAt: Timestamp(microseconds: 2_000_000),
            origin: .authorized,
            firstSentAt: Timestamp(microseconds: 2_000_000),
            state: .unknown,
            fencingToken: 2,
            leaseUntil: Timestamp(microseconds: 3_000_000),
            claimToken: ClaimToken(UniqueID(high: 0, low: 8)),
            attempts: 2,
            lastError: "bank_timeout"
        )
    }

    static func payment(_ number: UInt64 = 1, order: String = "order-1", customer: String = "customer-1") -> Payment {
        Payment(
            id: PaymentID(UniqueID(high: 0, low: number)),
            merchantID: .default,
            orderID: order,
            customerID: customer,
            amount: Money(verified: 5_005, currency: .usd),
            createdAt: Timestamp(microseconds: Int64(number) * 1_000_000),
            status: .capturing,
            activeOperation: OperationID(UniqueID(high: 0, low: 9)),
            bank: BankReferences(authorizationID: "auth_1"),
            authorizedAt: Timestamp(microseconds: 1_500_000)
        )
    }

    static func view() -> PaymentView {
        PaymentView(
            payment: payment(),
            history: [
                HistoryEntry(
                    at: Timestamp(microseconds: 1_000_000),
                    cause: "authorize claimed",
                    from: nil,
                    to: .pending,
                    operation: .authorize
                ),
                HistoryEntry(
                    at: Timestamp(microseconds: 1_500_000),
                    cause: "authorize succeeded",
                    from: .pending,
                    to: .authorized,
                    operation: .authorize
                ),
            ],
            operations: [operation()]
        )
    }
}
