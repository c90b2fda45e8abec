package import Core

/// A promise that was broken.
package struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// The invariants of correctness.md.
    package enum Invariant: String, Sendable {
        case nothingIsLost = "I1"
        case oneEffect = "I2"
        case movesOnce = "I3"
        case ledgersAgree = "I4"
        case sameReply = "I5"
        case legalHistory = "I6"
        case outcomesAreTold = "I7"
        case slotsOnce = "I9"
        case drains = "I11"
        /// What a store has forgotten takes no second effect.
        case forgetsSafely = "I12"
        /// Nobody is held up or overtaken: commands of one payment keep their order (trap D12).
        case keepsOrder = "D12"
        /// A processor that starts in an outage does not send what it has to a bank that is unavailable (trap D8).
        case startsCarefully = "D8"
        /// A call that is given up on is not cut: that is what makes the bank forget (trap D14).
        case cutsNoCall = "D14"
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
