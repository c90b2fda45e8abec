import ArgumentParser
import CardSealing
import Core

/// A command of the load. The names of a run are its own, so that runs can follow one another on the same database.
struct LoadMessage: Sendable {
    /// Of the run.
    let run: UInt64
    let customers: Int
    /// The values of `sealed_card`, one for each payment; empty: the card is sent plain.
    private let sealed: [String]

    /// Seals the cards now, so that it is no part of what is measured.
    init(run: UInt64, customers: Int, payments: Int, cardKey: CardPublicKey?) throws(CardKeyProblem) {
        self.run = run
        self.customers = customers
        guard let cardKey else {
            sealed = []
            return
        }
        var tokens: [String] = []
        let card: JSONValue = .object([
            "number": .string("4111111111111111"), "cvv": .string("123"), "expiry_month": .integer(12),
            "expiry_year": .integer(2_030),
        ])
        for payment in 0..<payments {
            tokens.append(try CardSealer.seal(card, for: Self.id(of: payment, run).description, with: cardKey))
        }
        sealed = tokens
    }

    func message(_ kind: OperationKind, of payment: Int, correlation: Int, replyTo: String) -> Message {
        Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: "load-\(run)-\(correlation)",
            correlationID: CorrelationID(String(correlation)),
            replyTo: replyTo,
            headers: [
                HeaderName.paymentID: .string(id(of: payment).description),
                HeaderName.idempotencyKey: .string("load-\(run)-\(payment)-\(kind)"),
            ],
            body: kind == .authorize ? authorize(payment) : Array("{}".utf8)
        )
    }

    private func id(of payment: Int) -> UniqueID { Self.id(of: payment, run) }

    private static func id(of payment: Int, _ run: UInt64) -> UniqueID {
        UniqueID(
            high: run & 0xffff_ffff_ffff_0fff | 0x7000,
            low: 0x8000_0000_0000_0000 | UInt64(payment)
        )
    }

    private func authorize(_ payment: Int) -> [UInt8] {
        let card =
            sealed.isEmpty
            ? #""card":{"number":"4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}"#
            : #""sealed_card":"\#(sealed[payment])""#
        return Array(
            #"{"order_id":"o-\#(payment)","customer_id":"c-\#(payment % customers)","amount":100,\#(card)}"#.utf8
        )
    }
}

enum LoadScenario: String, CaseIterable, ExpressibleByArgument, Sendable {
    case authorize, lifecycle, replay

    /// What is sent for each payment, each after the reply to the one before.
    var steps: [OperationKind] { self == .lifecycle ? [.authorize, .capture, .refund] : [.authorize] }
}

/// When the next command leaves.
enum LoadPace: Sendable {
    /// As soon as fewer than this many are under way.
    case window(Int)
    /// So many a second.
    case rate(Int)
}
