import Core
import PaymentCommands
import Testing

@testable import Publisher

enum Fixture {
    static let paymentID = "0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a"
    static let card = "4111111111111111"

    static let authorizeBody = #"""
        {"order_id":"o-1","customer_id":"c-1","amount":5000,"card":{"number":"4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}}
        """#

    static func line(_ operation: String, _ members: String) -> String {
        #"{"operation":"\#(operation)",\#(members)}"#
    }

    static func authorizeLine(key: String = "k-1") -> String {
        line("authorize", #""idempotency_key":"\#(key)","body":\#(authorizeBody)"#)
    }

    static func reply(_ body: String, replayed: Bool = false) -> ReceivedReply? {
        ReceivedReply(
            Message(headers: [HeaderName.idempotentReplayed: .bool(replayed)], body: Array(body.utf8))
        )
    }

    /// A reply of which only the outcome matters.
    static func reply(_ outcome: Reply.Outcome, code: String? = nil) -> ReceivedReply? {
        let error = code.map { #"{"code":"\#($0)","message":"m","retryable":false,"source":"bank"}"# } ?? "null"
        return reply(#"{"error":\#(error),"final":\#(outcome != .unknown),"outcome":"\#(outcome.rawValue)"}"#)
    }

    /// One that is authorized.
    static func payment() throws -> Payment {
        Payment(
            id: try #require(PaymentID(paymentID)),
            merchantID: .default,
            orderID: "o",
            customerID: "c",
            amount: Money(verified: 5000, currency: .usd),
            createdAt: Timestamp(microseconds: 1),
            status: .authorized,
            activeOperation: nil,
            bank: BankReferences(authorizationID: "auth_1")
        )
    }
}
