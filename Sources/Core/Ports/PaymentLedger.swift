/// All payments, one page after the other, for who has to look at each.
package protocol PaymentLedger: Sendable {
    /// In the order of their ids.
    ///
    /// - Parameters:
    ///   - last: the last one of the page before.
    ///   - since: only those that were opened then or later.
    func page(
        after last: PaymentID?,
        since: Timestamp?,
        limit: Int
    ) async throws(StoreError) -> [Payment]
}
