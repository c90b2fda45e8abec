/// What it takes to end an operation by an operator's decision, beside reading it and completing it. Each call is one
/// transaction.
package protocol ResolutionStore: PaymentStore {
    /// Takes an operation that is in `NEEDS_ATTENTION`, under a higher fencing token and with a lease: then it is
    /// `SENT`, and where nobody completes it, the reconciling sweep goes on with it after the lease. Decided by
    /// `Operation.takenForResolution`. Repeating it with the same token after an unknown outcome is safe
    /// (docs/correctness.md#unknown-commit).
    ///
    /// - Parameters:
    ///   - seen: as it was read.
    ///   - token: names this attempt, through all its retries.
    ///   - lease: how long it may talk to the bank.
    /// - Returns: `nil` where others have changed it since.
    func takeForResolution(
        _ seen: Operation,
        by token: ClaimToken,
        lease: Duration
    ) async throws(StoreError) -> Claim?

    /// The payment that has an effect of the bank on record; `nil` where none has.
    func owner(ofBankID id: String) async throws(StoreError) -> PaymentID?
}
