/// All payments, one page after the other, for who has to check each.
package protocol PaymentLedger: Sendable {
    /// In the order of their ids.
    ///
    /// - Parameters:
    ///   - last: the last one of the page before.
    ///   - since: only those that were opened then or later.
    ///   - limit: the size of the page.
    func page(
        after last: PaymentID?,
        since: Timestamp?,
        limit: Int
    ) async throws(StoreError) -> [LedgerPayment]
}

/// A payment as the comparison of ledgers needs it.
package struct LedgerPayment: Hashable, Sendable {
    package let payment: Payment
    /// Whether its authorize may have left a second hold at the bank.
    package let orphan: PossibleOrphan?

    package init(_ payment: Payment, orphan: PossibleOrphan? = nil) {
        self.payment = payment
        self.orphan = orphan
    }
}
