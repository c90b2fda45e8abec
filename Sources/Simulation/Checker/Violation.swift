package import Core

/// A promise that was broken.
package struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// Rules of docs/correctness.md, by their anchors there.
    package enum Invariant: String, CaseIterable, Sendable {
        case nothingIsLost = "nothing-is-lost"
        case oneEffect = "one-effect-per-key"
        case movesOnce = "money-moves-once"
        case ledgersAgree = "ledgers-agree"
        case sameReply = "same-key-same-reply"
        case legalHistory = "legal-history"
        case outcomesAreReported = "outcomes-are-reported"
        case slotsOnce = "a-slot-runs-once"
        case drains = "everything-drains"
        /// What a store has forgotten takes no second effect.
        case forgetsSafely = "forgetting-is-safe"
        /// Nobody is held up or overtaken: commands of one payment keep their order (docs/correctness.md#overtaking).
        case keepsOrder = "overtaking"
        /// When nobody comes or goes any more, every partition is read by its owner.
        case sharesEvenOut = "shared-queues"
        /// A processor that starts in an outage does not send what it has to a bank that is unavailable
        /// (docs/correctness.md#starting-in-an-outage).
        case startsCarefully = "starting-in-an-outage"
        /// A call that is given up on is not cut: that is what makes the bank forget (docs/correctness.md#cut-calls).
        case cutsNoCall = "cut-calls"
    }

    package let invariant: Invariant
    package let payment: PaymentID?
    package let text: String

    init(_ invariant: Invariant, _ payment: PaymentID?, _ text: String) {
        self.invariant = invariant
        self.payment = payment
        self.text = text
    }

    package var description: String {
        "\(invariant.rawValue): \(text)" + (payment.map { " (payment \($0))" } ?? "")
    }
}
