/// Which dead letters; a part that is `nil` lets all through.
package struct DeadLetterFilter: Hashable, Sendable {
    package var code: String?
    /// Exactly this text: dead letters with the same code and message have the same cause.
    package var message: String?
    package var kind: OperationKind?
    package var merchantID: MerchantID?
    package var paymentID: PaymentID?
    /// Of the payments of this order: their stores know them.
    package var orderID: String?
    /// Failed longer ago than this, by the store's clock.
    package var olderThan: Duration?
    /// Failed within this time, by the store's clock.
    package var newerThan: Duration?
    package var states: Set<DeadLetterState>?
    /// Older than the last one of the page before.
    package var before: DeadLetterCursor?

    package init() {}

    /// - Parameters:
    ///   - deadLetter: the one that is tested.
    ///   - order: that of its payment, where there is one.
    ///   - now: the store's clock.
    package func matches(_ deadLetter: DeadLetter, order: String? = nil, now: Timestamp) -> Bool {
        code ?? deadLetter.failure.code == deadLetter.failure.code
            && (message.map { $0.utf8.elementsEqual(deadLetter.failure.message.utf8) } ?? true)
            && (kind == nil || kind == deadLetter.command.kind)
            && (merchantID == nil || merchantID == deadLetter.command.merchantID)
            && (paymentID == nil || paymentID == deadLetter.command.paymentID)
            && (olderThan.map { deadLetter.failure.at < now.advanced(by: .zero - $0) } ?? true)
            && (newerThan.map { deadLetter.failure.at > now.advanced(by: .zero - $0) } ?? true)
            && (orderID == nil || orderID == order)
            && (before.map { (deadLetter.failure.at, deadLetter.id) < ($0.at, $0.id) } ?? true)
            && states?.contains(deadLetter.state) != false
    }
}

/// What an operator acts upon: frozen as a list of ids before anything moves.
package enum DeadLetterSelection: Hashable, Sendable {
    case ids([DeadLetterID])
    /// The oldest first, `limit` at most.
    case matching(DeadLetterFilter, limit: Int?)
}
