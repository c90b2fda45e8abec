/// What the bank says when it is asked by the key of an operation. Asking executes nothing.
package enum KeyTestimony: Hashable, Sendable {
    /// It replays the success of just this operation.
    case executed(BankEffect, BankResponse)
    /// It replays a success that is not this operation's: of another amount or id, unreadable, or another payment's. The reason is a
    /// code.
    case other(reason: String)
    /// It has stored nothing under the key, which proves nothing: it may have forgotten it.
    case unknown

    /// The reason of a replay whose id another payment has on record.
    package static let otherPayment = "bank_id_of_another_payment"

    /// - Parameters:
    ///   - answer: to an inquiry; `nil` where it says nothing that counts.
    ///   - operation: whose key was asked about.
    ///   - payment: that it belongs to.
    package init?(_ answer: BankAnswer, about operation: Operation, of payment: Payment) {
        guard case .response(let response) = answer, case .json = response.body else { return nil }
        let inquiry = BankAction.inquiry(about: operation.kind, of: payment)
        switch Verdict.of(inquiry, answer, sends: operation.sends) {
        case .succeeded(let effect, _, _): self = .executed(effect, response)
        case .needsAttention(let reason), .ambiguous(let reason, .unreadable): self = .other(reason: reason)
        case .keyUnknown: self = .unknown
        case .declined, .expired, .notSent, .notExecuted, .ambiguous: return nil
        }
    }

    /// Completes the sentence "…; <what follows from it>".
    package var explanation: String {
        switch self {
        case .executed(let effect, _): "the bank has executed it as \(effect.bankID)"
        case .other(let reason): "what the bank replays under its key is not what it asked for (\(reason))"
        case .unknown: "the bank knows nothing under its key"
        }
    }

    /// The name in JSON.
    package var name: String {
        switch self {
        case .executed: "executed"
        case .other: "other"
        case .unknown: "unknown"
        }
    }
}
