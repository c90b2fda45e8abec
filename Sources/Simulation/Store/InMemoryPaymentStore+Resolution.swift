package import Core

extension InMemoryPaymentStore: ResolutionStore {
    package func takeForResolution(
        _ seen: Operation,
        by token: ClaimToken,
        lease: Duration
    ) async throws(StoreError) -> Claim? {
        let clock = clock
        return try await transaction(.claim) { tables throws(StoreError) in
            let now = clock.now()
            guard let stored = tables.operations[seen.id], let payment = tables.payments[stored.paymentID],
                let taken = stored.takenForResolution(as: seen, by: token, lease: lease, now: now)
            else { return nil }
            try tables.apply(StoreTables.Changes(operation: taken, payment: nil, transition: nil), at: now)
            // Where nobody completes it, the sweep finds it soon after the lease.
            if let due = tables.sweeps.open[taken.id]?.at {
                tables.sweeps.open[taken.id]?.at = min(due, taken.leaseUntil)
            }
            return Claim(operation: taken, payment: payment)
        }
    }

    package func owner(ofBankID id: String) async throws(StoreError) -> PaymentID? {
        try await read { tables in tables.owner(ofBankID: id) }
    }
}
