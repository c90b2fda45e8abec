/// Which dead letters; a part that is `nil` lets all through.
package struct DeadLetterFilter: Hashable, Sendable {
    package var code: String?
    package var kind: OperationKind?
    package var merchantID: MerchantID?
    package var paymentID: PaymentID?
    /// Failed longer ago than this, by the store's clock.
    package var olderThan: Duration?
    /// Failed within this time, by the store's clock.
    package var newerThan: Duration?
    package var states: Set<DeadLetterState>?

    package init() {}

    /// - Parameters:
    ///   - letter: the one that is tested.
    ///   - now: the store's clock.
    package func matches(_ letter: DeadLetter, now: Timestamp) -> Bool {
        code ?? letter.failure.code == letter.failure.code
            && (kind == nil || kind == letter.command.kind)
            && (merchantID == nil || merchantID == letter.command.merchantID)
            && (paymentID == nil || paymentID == letter.command.paymentID)
            && (olderThan.map { letter.failure.at < now.advanced(by: .zero - $0) } ?? true)
            && (newerThan.map { letter.failure.at > now.advanced(by: .zero - $0) } ?? true)
            && states?.contains(letter.state) != false
    }
}

/// What an operator acts upon: frozen as a list of ids before anything moves.
package enum DeadLetterSelection: Hashable, Sendable {
    case ids([DeadLetterID])
    /// The oldest first, `limit` at most.
    case matching(DeadLetterFilter, limit: Int?)
}
